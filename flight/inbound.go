package flight

import (
	"errors"

	"github.com/apache/arrow-go/v18/arrow/flight"

	"github.com/flightd/flightd/flight/guard"
	"github.com/flightd/flightd/internal/base"
)

// inbound is the data of one DoPut, every message of which the guard admits
// before the decoder sees it.
type inbound struct {
	stream flight.FlightService_DoPutServer
	first  *flight.FlightData // read already, not yet handed on
	guard  *guard.Guard
	fields int // of the schema
}

// hasData reports whether the first message has more than a descriptor: clients
// without parameters send no schema.
func (in *inbound) hasData() bool { return in.first != nil && len(in.first.GetDataHeader()) > 0 }

// Recv returns the next message that the guard admits.
func (in *inbound) Recv() (*flight.FlightData, error) {
	d := in.first
	in.first = nil
	if d == nil {
		var err error
		if d, err = in.stream.Recv(); err != nil {
			return nil, err
		}
	}
	m, _, err := in.guard.Admit(guard.Message{Header: d.GetDataHeader(), Body: d.GetDataBody()})
	if err != nil {
		return nil, err
	}
	d.DataHeader, d.DataBody = m.Header, m.Body
	return d, nil
}

// reader returns a decoder of the stream whose schema has been read. Its record
// batches are to be read with guard.Next.
func (in *inbound) reader() (*flight.Reader, error) {
	r, err := flight.NewRecordReader(in)
	if err != nil {
		var e *base.Error
		if errors.As(err, &e) {
			return nil, e
		}
		return nil, invalid("reading the schema of the stream: %v", err)
	}
	in.fields = r.Schema().NumFields()
	return r, nil
}
