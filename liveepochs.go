package flightd

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
)

// epochs are the queries that the statement reads, by name, and as of which epoch; a
// query that has not done one is left out.
func (b *batch) epochs() []readEpoch {
	var out []readEpoch
	for l, m := range b.moments {
		if m.epoch == base.NoEpoch {
			continue
		}
		out = append(out, readEpoch{l.q.name, l.q.id, m.epoch})
	}
	slices.SortFunc(out, func(a, b readEpoch) int { return cmp.Compare(a.query, b.query) })
	return out
}

// readEpoch is a query that a statement reads.
type readEpoch struct {
	query, id string
	epoch     base.Epoch
}

// EpochMetadata is the key in the metadata of a result's schema that says as of which
// epoch it has read a running query. Where a statement reads several queries the key of
// each has a dot and the query's name behind.
const EpochMetadata = "flightd.epoch"

// withEpochs adds the epochs to a schema's metadata.
func withEpochs(s *arrow.Schema, list []readEpoch) *arrow.Schema {
	if len(list) == 0 {
		return s
	}
	md := s.Metadata()
	keys, values := slices.Clone(md.Keys()), slices.Clone(md.Values())
	if len(list) == 1 {
		keys, values = append(keys, EpochMetadata), append(values, epochText(list[0].epoch))
	}
	for _, e := range list {
		keys, values = append(keys, EpochMetadata+"."+e.query), append(values, epochText(e.epoch))
	}
	with := arrow.NewMetadata(keys, values)
	return arrow.NewSchema(s.Fields(), &with)
}

// epochsJSON is what goes along with record batches.
func epochsJSON(list []readEpoch) []byte {
	type read struct {
		Query   string     `json:"query"`
		QueryID string     `json:"query_id"`
		Epoch   base.Epoch `json:"epoch"`
	}
	var out struct {
		Version int         `json:"v"`
		Epoch   *base.Epoch `json:"epoch,omitempty"`
		Read    []read      `json:"read"`
	}
	out.Version = 1
	if len(list) == 1 {
		out.Epoch = &list[0].epoch
	}
	for _, e := range list {
		out.Read = append(out.Read, read{e.query, e.id, e.epoch})
	}
	b, _ := json.Marshal(out) // numbers and texts
	return b
}
