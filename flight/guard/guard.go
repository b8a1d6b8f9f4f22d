package guard

import (
	"io"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
)

// The kinds of messages, with the values of Arrow's MessageHeader union.
const (
	Schema      Kind = 1
	Dictionary  Kind = 2
	RecordBatch Kind = 3
)

// A Kind says what a message holds.
type Kind uint8

// A Message is one message of a stream: FlatBuffers header and body.
type Message struct{ Header, Body []byte }

// A Guard checks the messages of one stream in order. It is not safe for use by
// several goroutines.
type Guard struct {
	limits Limits
	seen   bool
	fields []field
	dicts  map[int64]*dictionary
	// held is the size of the dictionaries that the decoder keeps.
	held int64
}

// A dictionary is the layout of one dictionary's values and what is held of it.
type dictionary struct {
	values field
	held   int64
}

// New returns a guard for a new stream.
func New(l Limits) *Guard {
	return &Guard{limits: l.withDefaults(), dicts: map[int64]*dictionary{}}
}

// Admit checks the next message and returns it as the decoder may see it, which
// is m itself unless its buffers were compressed. The result shares m's memory.
// An error has the code Invalid or Exhausted and ends the stream.
func (g *Guard) Admit(m Message) (Message, Kind, error) {
	if len(m.Header) == 0 {
		return m, 0, malformed("its header is empty")
	}
	if len(m.Header) > g.limits.Header || len(m.Body) > g.limits.Body {
		return m, 0, base.Errorf(base.CodeExhausted, "an Arrow message has a header of %d and a body of %d bytes; the limits are %d and %d",
			len(m.Header), len(m.Body), g.limits.Header, g.limits.Body)
	}
	h := newHeader(m.Header, g.limits.Fields)
	root, err := h.root()
	if err != nil {
		return m, 0, err
	}
	version, err := root.int16(0, 0)
	if err != nil {
		return m, 0, err
	}
	if version != 3 && version != 4 {
		return m, 0, base.Errorf(base.CodeInvalid, "Arrow metadata version %d is not accepted; versions 4 and 5 are", version+1)
	}
	kind, err := root.int8(1, 0)
	if err != nil {
		return m, 0, err
	}
	content, ok, err := root.sub(2)
	if err != nil {
		return m, 0, err
	}
	if !ok {
		return m, 0, malformed("it is empty")
	}
	if n, err := root.int64(3, 0); err != nil || n < 0 || n > int64(len(m.Body)) {
		return m, 0, malformed("it says that its body has %d bytes; %d came", n, len(m.Body))
	}
	if err := root.keyValues(4); err != nil {
		return m, 0, err
	}
	switch Kind(kind) {
	case Schema:
		return m, Schema, g.schema(content)
	case Dictionary:
		m, err = g.dictionary(content, m, version == 3)
		return m, Dictionary, err
	case RecordBatch:
		if !g.seen {
			return m, 0, malformed("a record batch came before the schema")
		}
		m, err = g.batch(content, m, g.fields, version == 3)
		return m, RecordBatch, err
	}
	return m, 0, malformed("a message of type %d has no place in a stream", kind)
}

func (g *Guard) schema(t table) error {
	if g.seen {
		return malformed("a second schema came")
	}
	g.seen = true
	w := schemaWalk{limits: g.limits, dicts: g.dicts}
	var err error
	g.fields, err = w.schema(t)
	return err
}

func (g *Guard) dictionary(t table, m Message, v4 bool) (Message, error) {
	id, err := t.int64(0, 0)
	if err != nil {
		return m, err
	}
	delta, err := t.int8(2, 0)
	if err != nil {
		return m, err
	}
	d := g.dicts[id]
	if d == nil {
		return m, malformed("dictionary %d is not in the schema", id)
	}
	if delta != 0 && d.held == 0 {
		return m, malformed("an addition to dictionary %d came before the dictionary", id)
	}
	data, ok, err := t.sub(1)
	if err != nil {
		return m, err
	}
	if !ok {
		return m, malformed("dictionary %d is empty", id)
	}
	m, err = g.batch(data, m, []field{d.values}, v4)
	if err != nil {
		return m, err
	}
	if delta == 0 {
		g.held -= d.held
		d.held = 0
	}
	size := int64(len(m.Body) + len(m.Header))
	d.held += size
	if g.held += size; g.held > g.limits.Dictionaries {
		return m, base.Errorf(base.CodeExhausted, "the dictionaries of an Arrow stream have more than %d bytes", g.limits.Dictionaries)
	}
	return m, nil
}

// batch checks the RecordBatch table t against fields.
func (g *Guard) batch(t table, m Message, fields []field, v4 bool) (Message, error) {
	w, err := newBatchWalk(t, m.Body, g.limits)
	if err != nil {
		return m, err
	}
	w.v4 = v4
	if w.codec < 0 {
		return m, w.check(fields)
	}
	in, err := w.declare(m.Body)
	if err != nil {
		return m, err
	}
	if err := w.check(fields); err != nil {
		return m, err
	}
	w.h.b = slices.Clone(w.h.b)
	body, err := w.inflate(in, m.Body)
	return Message{Header: w.h.b, Body: body}, err
}

// A Decoder is what Next reads from: arrow-go's ipc.Reader or flight.Reader over
// messages that a Guard admitted.
type Decoder interface {
	Next() bool
	RecordBatch() arrow.RecordBatch
	Err() error
}

// Next decodes the next record batch and checks what only shows after decoding:
// offsets, dictionary indices, UTF-8. A panic of the decoder is an error like
// any other. The record batch belongs to the decoder until the following call;
// after the last one the error is io.EOF.
func Next(d Decoder) (rec arrow.RecordBatch, err error) {
	defer func() {
		if p := recover(); p != nil {
			rec, err = nil, malformed("decoding it: %s", firstLine(p))
		}
	}()
	if !d.Next() {
		if err := d.Err(); err != nil && err != io.EOF {
			return nil, decodeError(err)
		}
		return nil, io.EOF
	}
	rec = d.RecordBatch()
	if err := Validate(rec); err != nil {
		return nil, err
	}
	return rec, nil
}

// decodeError keeps an error of ours, such as one that Admit returned to the
// decoder, and turns the decoder's own into one.
func decodeError(err error) error {
	if e := base.AsError(err); e.Code != base.CodeInternal {
		return e
	}
	return malformed("decoding it: %s", firstLine(err))
}
