//go:build long

package kafka

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/kafkaclient/kafkatest"
	"github.com/flightd/flightd/sinks"
)

// A broker that is killed while an epoch is written costs no row, and the
// producer's own retries write none twice.
func TestRealBroker(t *testing.T) {
	b := kafkatest.NewBroker(t)
	c := kafkatest.NewClient(t, b.Address)
	if resp, err := c.Admin().CreateTopic(t.Context(), 3, 1, nil, "out"); err != nil || resp.Err != nil {
		t.Fatal(err, resp.Err)
	}
	schema := arrow.NewSchema([]arrow.Field{textField("key"), textField("value")}, nil)
	s, err := openSink(t, b.Address, schema, base.Options{"topic": "out", "kafka.compression.type": "zstd"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{}
	n := 0
	for epoch := range base.Epoch(6) {
		for range 20 {
			rb := array.NewRecordBuilder(memory.DefaultAllocator, schema)
			for range 500 {
				n++
				rb.Field(0).(*array.StringBuilder).Append(fmt.Sprint("k", n%100))
				rb.Field(1).(*array.StringBuilder).Append(fmt.Sprint("v", n))
				want[fmt.Sprint("v", n)] = 1
			}
			rec := rb.NewRecordBatch()
			if err := s.Write(t.Context(), epoch, sinks.Mode{}, rec); err != nil {
				t.Fatal(err)
			}
			rec.Release()
		}
		if epoch%2 == 1 {
			b.Kill()
			b.Start()
		}
		if err := s.Commit(t.Context(), epoch, sinks.Mode{}, base.Digest{byte(epoch)}); err != nil {
			t.Fatal(err)
		}
		seen := map[string]int{}
		for _, r := range kafkatest.ReadAll(t, b.Address, "out") {
			seen[string(r.Value)]++
		}
		if !maps.Equal(seen, want) {
			t.Fatalf("after epoch %d: %d different values of %d, or some more than once", epoch, len(seen), len(want))
		}
	}
	b.Kill()
	s, err = openSink(t, b.Address, schema, base.Options{"topic": "out", "kafka.delivery.timeout.ms": "1500"})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err = s.Write(t.Context(), 0, sinks.Mode{}, rowsOf(t, schema, `[{"value":"x"}]`)); err == nil {
		err = s.Commit(t.Context(), 0, sinks.Mode{}, base.Digest{})
	}
	if base.CodeOf(err) != base.CodeUnavailable || time.Since(start) > 30*time.Second {
		t.Errorf("without a broker, after %v: %v", time.Since(start), err)
	}
}
