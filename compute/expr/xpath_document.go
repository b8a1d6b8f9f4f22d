package expr

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
)

// xmlKind is the kind of a node of an XML document.
type xmlKind uint8

const (
	xmlRoot xmlKind = iota
	xmlElement
	xmlAttribute
	xmlText
	xmlComment
	xmlInstruction
)

// xmlNode is a node of a document. Name has its prefix, as in the text.
type xmlNode struct {
	kind   xmlKind
	name   string
	text   string
	parent *xmlNode
	kids   []*xmlNode
	attrs  []*xmlNode
	// order numbers nodes as they stand in the document.
	order int
}

// maxXMLDepth bounds nesting, so that hostile text cannot exhaust the stack.
const maxXMLDepth = 1000

var (
	errXMLDepth = errors.New("elements are nested too deeply")
	errXMLShape = errors.New("the document is not one element whose tags match and whose attributes differ")
)

// parseXML reads a document without regard to name spaces.
func parseXML(s []byte) (*xmlNode, error) {
	d := xml.NewDecoder(bytes.NewReader(s))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	root := &xmlNode{}
	at, order, depth, elements := root, 0, 0, 0
	add := func(n *xmlNode) *xmlNode {
		order++
		n.order, n.parent = order, at
		return n
	}
	for {
		t, err := d.RawToken()
		if err == io.EOF {
			if at != root || elements != 1 {
				return nil, errXMLShape
			}
			return root, nil
		}
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if at == root {
				elements++
			}
			if depth++; depth > maxXMLDepth {
				return nil, errXMLDepth
			}
			n := add(&xmlNode{kind: xmlElement, name: xmlName(t.Name)})
			at.kids = append(at.kids, n)
			at = n
			for i, a := range t.Attr {
				if slices.ContainsFunc(t.Attr[:i], func(b xml.Attr) bool { return a.Name == b.Name }) {
					return nil, errXMLShape
				}
				if name := xmlName(a.Name); name != "xmlns" && !strings.HasPrefix(name, "xmlns:") {
					n.attrs = append(n.attrs, add(&xmlNode{kind: xmlAttribute, name: name, text: a.Value}))
				}
			}
		case xml.EndElement:
			if at == root || at.name != xmlName(t.Name) {
				return nil, errXMLShape
			}
			depth--
			at = at.parent
		case xml.CharData:
			if at == root {
				if len(bytes.TrimSpace(t)) > 0 {
					return nil, errXMLShape
				}
				continue
			}
			if k := len(at.kids); k > 0 && at.kids[k-1].kind == xmlText {
				at.kids[k-1].text += string(t)
			} else if len(t) > 0 {
				at.kids = append(at.kids, add(&xmlNode{kind: xmlText, text: string(t)}))
			}
		case xml.Comment:
			at.kids = append(at.kids, add(&xmlNode{kind: xmlComment, text: string(t)}))
		case xml.ProcInst:
			if t.Target != "xml" {
				at.kids = append(at.kids, add(&xmlNode{kind: xmlInstruction, name: t.Target, text: string(t.Inst)}))
			}
		}
	}
}

func xmlName(n xml.Name) string {
	if n.Space != "" {
		return n.Space + ":" + n.Local
	}
	return n.Local
}

// str is the string value of a node: of an element all text in it.
func (n *xmlNode) str() string {
	if n.kind != xmlElement && n.kind != xmlRoot {
		return n.text
	}
	var b strings.Builder
	n.each(func(k *xmlNode) {
		if k.kind == xmlText {
			b.WriteString(k.text)
		}
	})
	return b.String()
}

// each calls do for the descendants of n in order.
func (n *xmlNode) each(do func(k *xmlNode)) {
	for _, k := range n.kids {
		do(k)
		k.each(do)
	}
}

func (n *xmlNode) root() *xmlNode {
	for n.parent != nil {
		n = n.parent
	}
	return n
}

// along calls do for the nodes on an axis of n, nearest first.
func (n *xmlNode) along(axis string, do func(k *xmlNode)) {
	siblings := func() []*xmlNode {
		if n.parent == nil || n.kind == xmlAttribute {
			return nil
		}
		return n.parent.kids
	}
	switch axis {
	case "child":
		for _, k := range n.kids {
			do(k)
		}
	case "attribute":
		for _, k := range n.attrs {
			do(k)
		}
	case "self":
		do(n)
	case "parent":
		if n.parent != nil {
			do(n.parent)
		}
	case "descendant-or-self":
		do(n)
		n.each(do)
	case "descendant":
		n.each(do)
	case "ancestor-or-self", "ancestor":
		if axis == "ancestor-or-self" {
			do(n)
		}
		for p := n.parent; p != nil; p = p.parent {
			do(p)
		}
	case "following-sibling":
		for _, k := range siblings() {
			if k.order > n.order {
				do(k)
			}
		}
	case "preceding-sibling":
		list := siblings()
		for i := len(list) - 1; i >= 0; i-- {
			if list[i].order < n.order {
				do(list[i])
			}
		}
	case "following":
		inside := map[*xmlNode]bool{}
		n.each(func(k *xmlNode) { inside[k] = true })
		n.root().each(func(k *xmlNode) {
			if k.order > n.order && !inside[k] {
				do(k)
			}
		})
	case "preceding":
		above := map[*xmlNode]bool{}
		for p := n.parent; p != nil; p = p.parent {
			above[p] = true
		}
		var list []*xmlNode
		n.root().each(func(k *xmlNode) {
			if k.order < n.order && !above[k] {
				list = append(list, k)
			}
		})
		for i := len(list) - 1; i >= 0; i-- {
			do(list[i])
		}
	}
}
