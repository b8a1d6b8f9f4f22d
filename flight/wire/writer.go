package wire

import (
	"sync/atomic"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"

	"github.com/flightd/flightd/internal/base"
)

// A Writer sends record batches of one schema as FlightData. The server's codec is
// Codec. It is not for several goroutines at once.
type Writer struct {
	stream  grpc.ServerStream
	schema  *arrow.Schema
	started bool
	// dictionaries writes schemas with dictionaries, which are messages of their own.
	dictionaries *flight.Writer
}

// NewWriter returns a writer of record batches with the schema to a stream of DoGet.
func NewWriter(stream flight.FlightService_DoGetServer, schema *arrow.Schema) *Writer {
	w := &Writer{stream: stream, schema: schema}
	for _, f := range schema.Fields() {
		if hasDictionary(f.Type) {
			w.dictionaries = flight.NewRecordWriter(stream, ipc.WithSchema(schema))
			break
		}
	}
	return w
}

func hasDictionary(t arrow.DataType) bool {
	switch t := t.(type) {
	case *arrow.DictionaryType:
		return true
	case arrow.ExtensionType:
		return hasDictionary(t.StorageType())
	case arrow.NestedType:
		for _, f := range t.Fields() {
			if hasDictionary(f.Type) {
				return true
			}
		}
	}
	return false
}

// Write sends rec, which must have the writer's schema.
func (w *Writer) Write(rec arrow.RecordBatch) error { return w.WriteWithAppMetadata(rec, nil) }

// WriteWithAppMetadata sends rec with metadata, unless that is nil. It retains rec until
// its bytes are on their way, which may be after it returned; they must not change.
func (w *Writer) WriteWithAppMetadata(rec arrow.RecordBatch, metadata []byte) error {
	return w.write(rec, metadata, false)
}

func (w *Writer) write(rec arrow.RecordBatch, metadata []byte, followed bool) error {
	if w.dictionaries != nil {
		return w.dictionaries.WriteWithAppMetadata(rec, metadata)
	}
	if err := w.check([]arrow.RecordBatch{rec}); err != nil {
		return err
	}
	if err := w.start(true); err != nil {
		return err
	}
	p, err := ipc.GetRecordBatchPayload(rec)
	if err != nil {
		return err
	}
	rec.Retain()
	m := newMessage(p, metadata, rec.Release)
	m.followed = followed
	return w.send(m)
}

// check returns an error if recs are not of the writer's schema.
func (w *Writer) check(recs []arrow.RecordBatch) error {
	for _, rec := range recs {
		if s := rec.Schema(); s != w.schema && !s.Equal(w.schema) {
			return base.Errorf(base.CodeInternal, "a record batch of %v in a stream of %v", s, w.schema)
		}
	}
	return nil
}

// Start sends the schema before there is a record batch. Where there are dictionaries it
// waits for one.
func (w *Writer) Start() error {
	if w.dictionaries != nil {
		return nil
	}
	return w.start(false)
}

// Schema returns the schema of the record batches.
func (w *Writer) Schema() *arrow.Schema { return w.schema }

// Started reports whether the schema is sent, or waits for a record batch with
// dictionaries.
func (w *Writer) Started() bool { return w.started || w.dictionaries != nil }

// Close sends the schema, if no record batch did.
func (w *Writer) Close() error {
	if w.dictionaries != nil {
		return w.dictionaries.Close()
	}
	return w.start(false)
}

// start sends the schema, if it is not yet; along with what follows at once, if that is so.
func (w *Writer) start(followed bool) error {
	if w.started {
		return nil
	}
	w.started = true
	m := newMessage(ipc.GetSchemaPayload(w.schema, memory.DefaultAllocator), nil, func() {})
	m.followed = followed
	return w.send(m)
}

func (w *Writer) send(m *message) error {
	if m.size > maxMessage {
		m.free()
		return base.Errorf(base.CodeExhausted, "a message of %d bytes; there may be %d in one", m.size, maxMessage)
	}
	err := w.stream.SendMsg(m)
	if !m.taken { // it failed before it came to the codec
		m.free()
	}
	return err
}

// message is one FlightData to be sent.
type message struct {
	payload ipc.Payload
	release func()
	header  []byte
	meta    []byte
	body    pieces
	// size is that of the protobuf message.
	size  int
	taken bool
	// followed says that another message is sent at once.
	followed bool
	// refs counts the buffers that are not sent yet.
	refs atomic.Int32
}

// pieces are the buffers of a body, with the padding between them.
type pieces struct {
	list  [][]byte
	bytes int
}

// Write adds a buffer, which it does not copy.
func (p *pieces) Write(b []byte) (int, error) {
	p.list = append(p.list, b)
	p.bytes += len(b)
	return len(b), nil
}

// newMessage takes over the payload, and calls release when nobody reads it any more.
func newMessage(p ipc.Payload, metadata []byte, release func()) *message {
	m := &message{payload: p, release: release, meta: metadata}
	header := p.Meta()
	m.header = header.Bytes()
	header.Release() // the payload has it, too
	_ = p.SerializeBody(&m.body)
	m.size = m.body.bytes + len(m.header) + len(m.meta) + 4*10
	return m
}

// Followed reports whether another message follows at once, with which this one may be
// sent.
func (m *message) Followed() bool { return m.followed }

func (m *message) free() {
	m.payload.Release()
	m.release()
}

// byReference is from how many bytes on a buffer is not copied.
const byReference = 4 << 10

// marshal returns the message in pieces: large buffers as they are, and between them
// what is small.
func (m *message) marshal() mem.BufferSlice {
	m.taken = true
	m.refs.Store(1)
	var out mem.BufferSlice
	small := make([]byte, 0, len(m.header)+len(m.meta)+64)
	small = append(prefix(small, headerField, len(m.header)), m.header...)
	if len(m.meta) > 0 {
		small = append(prefix(small, metadataField, len(m.meta)), m.meta...)
	}
	if m.body.bytes > 0 {
		small = prefix(small, bodyField, m.body.bytes)
	}
	for i, b := range m.body.list {
		if len(b) < byReference {
			small = append(small, b...)
			continue
		}
		if len(small) > 0 {
			out, small = append(out, mem.SliceBuffer(small)), nil
		}
		m.refs.Add(1)
		out = append(out, mem.NewBuffer(&m.body.list[i], m))
	}
	if len(small) > 0 {
		out = append(out, mem.SliceBuffer(small))
	}
	m.Put(nil)
	return out
}

// Get is not called: message is a pool for what buffers give back.
func (m *message) Get(n int) *[]byte { b := make([]byte, n); return &b }

// Put says that a buffer is sent.
func (m *message) Put(*[]byte) {
	if m.refs.Add(-1) == 0 {
		m.free()
	}
}

var _ mem.BufferPool = (*message)(nil)

// aligned returns n zeros that begin at a multiple of 64, as Arrow wants.
func aligned(n int) []byte {
	b := make([]byte, n+63)
	at := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) & 63)
	return b[at : at+n : at+n]
}
