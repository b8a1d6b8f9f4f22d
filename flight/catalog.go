package flight

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql/schema_ref"
	pb "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/protobuf/proto"
)

// There is one catalog, and one schema besides those of queries' states; Spark calls
// them so.
const (
	catalogName = "spark_catalog"
	schemaName  = "default"
)

// tableTypes are the types that tables are listed with.
var tableTypes = []string{"BASE TABLE", "SYSTEM TABLE", "VIEW"}

// catalogSchema returns the schema of a catalog command's result.
func catalogSchema(m proto.Message) (*arrow.Schema, bool) {
	switch m := m.(type) {
	case *pb.CommandGetCatalogs:
		return schema_ref.Catalogs, true
	case *pb.CommandGetDbSchemas:
		return schema_ref.DBSchemas, true
	case *pb.CommandGetTables:
		if m.GetIncludeSchema() {
			return schema_ref.TablesWithIncludedSchema, true
		}
		return schema_ref.Tables, true
	case *pb.CommandGetTableTypes:
		return schema_ref.TableTypes, true
	case *pb.CommandGetXdbcTypeInfo:
		return schema_ref.XdbcTypeInfo, true
	case *pb.CommandGetSqlInfo:
		return schema_ref.SqlInfo, true
	case *pb.CommandGetPrimaryKeys:
		return schema_ref.PrimaryKeys, true
	case *pb.CommandGetExportedKeys:
		return schema_ref.ExportedKeys, true
	case *pb.CommandGetImportedKeys:
		return schema_ref.ImportedKeys, true
	case *pb.CommandGetCrossReference:
		return schema_ref.CrossReference, true
	}
	return nil, false
}

// catalog answers a catalog command.
func (s *service) catalog(ctx context.Context, ses *session, m proto.Message) (arrow.RecordBatch, error) {
	schema, ok := catalogSchema(m)
	if !ok {
		return nil, invalid("%s is not a ticket", m.ProtoReflect().Descriptor().Name())
	}
	switch m := m.(type) {
	case *pb.CommandGetSqlInfo:
		return s.info.record(m.GetInfo())
	case *pb.CommandGetXdbcTypeInfo:
		return typeInfo(m.DataType), nil
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	var err error
	switch m := m.(type) {
	case *pb.CommandGetCatalogs:
		appendRow(b, catalogName)
	case *pb.CommandGetDbSchemas:
		err = s.listSchemas(ctx, m, b)
	case *pb.CommandGetTableTypes:
		for _, t := range tableTypes {
			appendRow(b, t)
		}
	case *pb.CommandGetTables:
		err = s.listTables(ctx, m, b)
	}
	if err != nil {
		return nil, err
	}
	return b.NewRecordBatch(), nil
}

// appendRow appends texts to the first columns.
func appendRow(b *array.RecordBuilder, texts ...string) {
	for i, t := range texts {
		b.Field(i).(*array.StringBuilder).Append(t)
	}
}

// listSchemas lists default, and then the schemas of queries' states.
func (s *service) listSchemas(ctx context.Context, m *pb.CommandGetDbSchemas, b *array.RecordBuilder) error {
	if !sameCatalog(m.Catalog) {
		return nil
	}
	tables, err := s.backend.Tables(ctx)
	if err != nil {
		return err
	}
	names := []string{schemaName}
	for _, t := range tables {
		if n := t.namespace(); !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	for _, n := range names {
		if like(m.GetDbSchemaFilterPattern(), m.DbSchemaFilterPattern != nil, n) {
			appendRow(b, catalogName, n)
		}
	}
	return nil
}

// namespace is the schema that the table is in.
func (t Table) namespace() string { return cmp.Or(t.Namespace, schemaName) }

func (s *service) listTables(ctx context.Context, m *pb.CommandGetTables, b *array.RecordBuilder) error {
	if !sameCatalog(m.Catalog) {
		return nil
	}
	tables, err := s.backend.Tables(ctx)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if !like(m.GetDbSchemaFilterPattern(), m.DbSchemaFilterPattern != nil, t.namespace()) ||
			!like(m.GetTableNameFilterPattern(), m.TableNameFilterPattern != nil, t.Name) || !wanted(m.GetTableTypes(), t.Type) {
			continue
		}
		appendRow(b, catalogName, t.namespace(), t.Name, t.Type)
		if m.GetIncludeSchema() {
			b.Field(4).(*array.BinaryBuilder).Append(schemaBytes(described(t)))
		}
	}
	return nil
}

// wanted compares table types as clients spell them: in any case, and TABLE for
// BASE TABLE.
func wanted(types []string, have string) bool {
	if len(types) == 0 {
		return true
	}
	for _, t := range types {
		if strings.EqualFold(t, have) || strings.EqualFold(t, "table") && have == "BASE TABLE" {
			return true
		}
	}
	return false
}

// sameCatalog reports whether a filter admits the one catalog; the empty name
// stands for "without a catalog" in the protocol, but drivers send it for "any".
func sameCatalog(filter *string) bool {
	return filter == nil || *filter == "" || strings.EqualFold(*filter, catalogName)
}

// described returns the schema of a table with what JDBC and ODBC read about
// columns.
func described(t Table) *arrow.Schema {
	if t.Schema == nil {
		return arrow.NewSchema(nil, nil)
	}
	fields := make([]arrow.Field, t.Schema.NumFields())
	for i, f := range t.Schema.Fields() {
		b := flightsql.NewColumnMetadataBuilder()
		b.CatalogName(catalogName).SchemaName(t.namespace()).TableName(t.Name).TypeName(sqlName(f.Type)).
			IsAutoIncrement(false).IsCaseSensitive(f.Type.ID() == arrow.STRING).IsReadOnly(false).IsSearchable(true)
		if d, ok := f.Type.(arrow.DecimalType); ok {
			b.Precision(d.GetPrecision()).Scale(d.GetScale())
		}
		f.Metadata = b.Metadata()
		fields[i] = f
	}
	return arrow.NewSchema(fields, nil)
}
