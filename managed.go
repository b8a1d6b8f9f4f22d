package flightd

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sinks"
	"github.com/flightd/flightd/sources"
)

func createManagedTable(dir string, s *arrow.Schema) error {
	return base.Errorf(base.CodeInternal, "stub")
}
func managedProvider(dir string) sources.Provider { return sources.Provider{} }
func (e *Engine) openManagedSink(t *table, id string, s *arrow.Schema, m base.OutputMode) (sinks.Sink, error) {
	return nil, base.Errorf(base.CodeInternal, "stub")
}
func memoryTable(s *arrow.Schema, recs []arrow.RecordBatch) (*table, error) {
	return nil, base.Errorf(base.CodeInternal, "stub")
}
