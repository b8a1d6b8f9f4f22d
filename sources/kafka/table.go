package kafka

import (
	"context"
	"encoding/json"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources"
)

// Table is the records of Kafka topics between two bounds.
type Table struct {
	cfg    *config
	conn   *conn
	schema *arrow.Schema
	losses *losses
}

var _ sources.Table = (*Table)(nil)

func openBatch(_ context.Context, cfg sources.Config) (sources.Table, error) {
	c, err := parseConfig(cfg.Options, cfg.Disk, true)
	if err != nil {
		return nil, err
	}
	schema := newSchema(c.headers)
	if err := checkSchema(cfg.Schema, schema); err != nil {
		return nil, err
	}
	conn, err := dial(c)
	if err != nil {
		return nil, err
	}
	return &Table{cfg: c, conn: conn, schema: schema, losses: &losses{fail: c.failOnDataLoss, table: true}}, nil
}

// Schema returns the fixed columns.
func (t *Table) Schema() *arrow.Schema { return t.schema }

// Describe names the topics and the bounds as Spark's plans do.
func (t *Table) Describe() string {
	return "KafkaRelation(strategy=" + t.cfg.strategy.text + ", start=" + t.cfg.start.String() + ", end=" + t.cfg.end.String() + ")"
}

// pin is what a scan reads: from each first offset up to, without, each last one.
type pin struct {
	From positions `json:"from"`
	To   positions `json:"to"`
}

// Pin resolves both bounds: {"from":{"t":{"0":0}},"to":{"t":{"0":9}}}.
func (t *Table) Pin(ctx context.Context) (string, error) {
	ps, err := t.conn.subscribed(ctx, true)
	if err != nil {
		return "", err
	}
	now := &losses{fail: t.losses.fail}
	from, err := t.conn.resolve(ctx, t.cfg.start, true, ps, now)
	if err != nil {
		return "", base.Wrap(err, "source kafka: resolving where to start")
	}
	to, err := t.conn.resolve(ctx, t.cfg.end, false, ps, now)
	if err != nil {
		return "", base.Wrap(err, "source kafka: resolving where to end")
	}
	for p, end := range to {
		to[p] = max(end, from[p]) // bounds by time may cross
	}
	b, err := json.Marshal(pin{from, to})
	return string(b), err
}

// Scan reads what a pin names.
func (t *Table) Scan(_ context.Context, text string, scan sources.Scan) ([]sources.Split, error) {
	p, err := parsePin(text)
	if err != nil {
		return nil, err
	}
	rs, err := ranges(p.From, p.To, t.losses)
	if err != nil {
		return nil, err
	}
	return splits(rs, scan, split{cfg: t.cfg, conn: t.conn, losses: t.losses, seen: &traffic{}, schema: t.schema})
}

func parsePin(text string) (pin, error) {
	var raw map[string]json.RawMessage
	err := decodeJSON(text, &raw)
	var p pin
	if err == nil {
		p.From, err = parsePartitionMap(string(raw["from"]), 0)
	}
	if err == nil {
		p.To, err = parsePartitionMap(string(raw["to"]), 0)
	}
	if err == nil && len(raw) != 2 {
		err = errRecord
	}
	for at := range p.To {
		if _, ok := p.From[at]; !ok {
			err = errRecord
		}
	}
	if err != nil {
		return pin{}, base.Errorf(base.CodeCorrupt, "the pin %.200q is not one of a Kafka table", text)
	}
	return p, nil
}

// Close closes the connections.
func (t *Table) Close() error {
	t.conn.close()
	return nil
}
