package flight

import (
	"bytes"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// schemaBytes returns the schema as one encapsulated IPC message, without the
// mark of a stream's end, over which some clients stumble.
func schemaBytes(schema *arrow.Schema) []byte {
	var b bytes.Buffer
	w := ipc.NewWriter(&b, ipc.WithSchema(schema))
	_ = w.Close() // writes to memory only
	return bytes.TrimSuffix(b.Bytes(), []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0})
}
