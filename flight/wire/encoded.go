package wire

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/flightd/flightd/internal/base"
)

// Encoded is a record batch as the bytes of its message, to be sent to many, by several
// goroutines at once. It is the garbage collector's.
type Encoded struct {
	schema       *arrow.Schema
	header, body []byte
}

// Encode returns the message of rec, of which it keeps nothing; nil for a schema with
// dictionaries, which depend on what was sent before.
func Encode(rec arrow.RecordBatch) (*Encoded, error) {
	for _, f := range rec.Schema().Fields() {
		if hasDictionary(f.Type) {
			return nil, nil
		}
	}
	p, err := ipc.GetRecordBatchPayload(rec)
	if err != nil {
		return nil, err
	}
	m := newMessage(p, nil, func() {})
	defer m.free()
	e := &Encoded{schema: rec.Schema(), header: append([]byte(nil), m.header...), body: make([]byte, 0, m.body.bytes)}
	for _, b := range m.body.list {
		e.body = append(e.body, b...)
	}
	return e, nil
}

// WriteEncoded sends a record batch that was encoded, which must have the writer's
// schema, with metadata, unless that is nil.
func (w *Writer) WriteEncoded(e *Encoded, metadata []byte) error {
	if e.schema != w.schema && !e.schema.Equal(w.schema) {
		return base.Errorf(base.CodeInternal, "a record batch of %v in a stream of %v", e.schema, w.schema)
	}
	if err := w.start(true); err != nil {
		return err
	}
	m := &message{header: e.header, meta: metadata, release: func() {}}
	_, _ = m.body.Write(e.body)
	m.size = len(e.body) + len(e.header) + len(metadata) + 4*10
	return w.send(m)
}
