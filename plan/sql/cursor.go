package sql

import (
	"github.com/flightd/flightd/internal/base"
)

// tok is the current token.
func (p *parser) tok() token { return p.toks[p.at] }

// ahead is the token n places on; endOfText beyond the text.
func (p *parser) ahead(n int) token {
	if p.at+n >= len(p.toks) {
		return p.toks[len(p.toks)-1]
	}
	return p.toks[p.at+n]
}

func (p *parser) advance() token {
	t := p.toks[p.at]
	if t.kind != endOfText {
		p.at++
	}
	return t
}

func (p *parser) end() bool { return p.toks[p.at].kind == endOfText }

// isWord reports whether the current token is one of the words.
func (p *parser) isWord(words ...string) bool { return p.isWordAt(0, words...) }

func (p *parser) isWordAt(n int, words ...string) bool {
	t := p.ahead(n)
	if t.kind != word {
		return false
	}
	for _, w := range words {
		if t.upper == w {
			return true
		}
	}
	return false
}

// isPhrase reports whether the words follow one another from here.
func (p *parser) isPhrase(words ...string) bool {
	for i, w := range words {
		if !p.isWordAt(i, w) {
			return false
		}
	}
	return true
}

// word takes the words if they follow one another.
func (p *parser) word(words ...string) bool {
	if !p.isPhrase(words...) {
		return false
	}
	p.at += len(words)
	return true
}

// anyWord takes the current token if it is one of the words, and returns it.
func (p *parser) anyWord(words ...string) string {
	if !p.isWord(words...) {
		return ""
	}
	return p.advance().upper
}

// mustWord takes the words or raises an error.
func (p *parser) mustWord(words ...string) {
	for _, w := range words {
		if !p.word(w) {
			p.unexpected(w)
		}
	}
}

func (p *parser) isOp(ops ...string) bool { return p.isOpAt(0, ops...) }

func (p *parser) isOpAt(n int, ops ...string) bool {
	t := p.ahead(n)
	if t.kind != operator {
		return false
	}
	for _, o := range ops {
		if t.upper == o {
			return true
		}
	}
	return false
}

// op takes the operator if it is next.
func (p *parser) op(o string) bool {
	if !p.isOp(o) {
		return false
	}
	p.at++
	return true
}

func (p *parser) mustOp(o string) {
	if !p.op(o) {
		p.unexpected("'" + o + "'")
	}
}

// textToken takes a text literal, or raises an error that says what it is for.
func (p *parser) mustText(what string) string {
	t := p.tok()
	if t.kind != text {
		p.unexpected(what)
	}
	p.at++
	return textValue(p.text[t.start:t.end])
}

// since is the place from token t to the last token taken.
func (p *parser) since(t token) base.Pos {
	pos := t.pos()
	if p.at > 0 {
		pos.End = max(pos.End, p.toks[p.at-1].end)
	}
	return pos
}

// from is the place from pos to the last token taken.
func (p *parser) from(pos base.Pos) base.Pos {
	if p.at > 0 {
		pos.End = max(pos.End, p.toks[p.at-1].end)
	}
	return pos
}

// source is the text from token number first to the last one taken.
func (p *parser) source(first int) string {
	if p.at <= first {
		return ""
	}
	return p.text[p.toks[first].start:p.toks[p.at-1].end]
}

// commaList reads one or more things separated by commas.
func (p *parser) commaList(read func()) {
	read()
	for p.op(",") {
		read()
	}
}

// parenthesised reads '(' thing, … ')'.
func (p *parser) parenthesised(read func()) {
	p.mustOp("(")
	p.commaList(read)
	p.mustOp(")")
}
