package flight

import (
	"context"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	pb "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/flight/guard"
	"github.com/flightd/flightd/internal/base"
)

// maxExpanded bounds what a record batch may become when its dictionaries are
// written out: a short index can stand for a long text many times.
const maxExpanded = 1 << 30

// ingest writes the stream into a table and returns the number of rows once they
// are durable.
func (s *service) ingest(ctx context.Context, ses *session, m *pb.CommandStatementIngest, in *inbound) (int64, error) {
	if err := ses.who.user.Role.May(flightd.Writer, "an ingest"); err != nil {
		return 0, err // before the rows are read
	}
	mode, err := ingestMode(m.GetTableDefinitionOptions())
	if err != nil {
		return 0, err
	}
	switch {
	case m.GetTable() == "":
		return 0, invalid("the ingest names no table")
	case m.GetTemporary():
		return 0, unsupported("there are no temporary tables; create a temporary view over a table instead")
	case len(m.GetTransactionId()) > 0:
		return 0, invalid("there are no transactions; every ingest takes effect at once")
	case m.GetCatalog() != "" && !strings.EqualFold(m.GetCatalog(), catalogName):
		return 0, base.UserError("CATALOG_NOT_FOUND", "42P08", "There is no catalog %s; there is %s.", m.GetCatalog(), catalogName)
	case m.GetSchema() != "" && !strings.EqualFold(m.GetSchema(), schemaName):
		return 0, base.UserError("SCHEMA_NOT_FOUND", "42704", "There is no schema %s; there is %s.", m.GetSchema(), schemaName)
	}
	r, err := in.reader()
	if err != nil {
		return 0, err
	}
	defer r.Release()
	return ses.Ingest(ctx, m.GetTable(), mode, r.Schema(), func() (arrow.RecordBatch, error) {
		for {
			rec, err := guard.Next(r)
			if err != nil {
				return nil, err
			}
			if rec.NumRows() == 0 {
				continue
			}
			if err := checkExpanded(rec); err != nil {
				return nil, err
			}
			rec.Retain()
			return rec, nil
		}
	})
}

// ingestMode reads ADBC's pair of wishes.
func ingestMode(o *pb.CommandStatementIngest_TableDefinitionOptions) (IngestMode, error) {
	const (
		create  = pb.CommandStatementIngest_TableDefinitionOptions_TABLE_NOT_EXIST_OPTION_CREATE
		fail    = pb.CommandStatementIngest_TableDefinitionOptions_TABLE_EXISTS_OPTION_FAIL
		add     = pb.CommandStatementIngest_TableDefinitionOptions_TABLE_EXISTS_OPTION_APPEND
		replace = pb.CommandStatementIngest_TableDefinitionOptions_TABLE_EXISTS_OPTION_REPLACE
	)
	makes := o.GetIfNotExist() == create
	switch exists := o.GetIfExists(); {
	case makes && exists == fail:
		return IngestCreate, nil
	case makes && exists == add:
		return IngestCreateAppend, nil
	case makes && exists == replace:
		return IngestReplace, nil
	case exists == add:
		return IngestAppend, nil
	}
	return 0, invalid("the ingest asks for neither create, append, replace nor create_append")
}

// checkExpanded refuses a record batch whose dictionary columns stand for too
// many bytes.
func checkExpanded(rec arrow.RecordBatch) error {
	var sum int64
	for i, col := range rec.Columns() {
		if sum += expanded(col); sum > maxExpanded {
			return base.Errorf(base.CodeExhausted, "column %q: the values of the record batch have more than %d bytes once the dictionaries are written out", rec.ColumnName(i), maxExpanded).
				WithHint("send smaller record batches")
		}
	}
	return nil
}

func expanded(col arrow.Array) int64 {
	switch a := col.(type) {
	case *array.Dictionary:
		values, sum := a.Dictionary(), int64(0)
		for i := range a.Len() {
			if a.IsValid(i) {
				v := a.GetValueIndex(i)
				sum += arrayBytes(values, v, v+1)
			}
		}
		return sum
	case *array.Struct:
		var sum int64
		for i := range a.NumField() {
			sum += expanded(a.Field(i))
		}
		return sum
	case array.ListLike:
		return expanded(a.ListValues())
	}
	return 0
}
