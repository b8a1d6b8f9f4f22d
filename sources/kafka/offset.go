package kafka

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/flightd/flightd/internal/base"
)

// partition is one partition of a topic; its text is Kafka's: topic-3.
type partition struct {
	topic string
	id    int32
}

func (p partition) String() string { return p.topic + "-" + strconv.Itoa(int(p.id)) }

func comparePartitions(a, b partition) int {
	return cmp.Or(cmp.Compare(a.topic, b.topic), cmp.Compare(a.id, b.id))
}

// texts joins the names of ps, in order.
func texts(ps []partition) string {
	out := make([]string, len(ps))
	for i, p := range slices.SortedFunc(slices.Values(ps), comparePartitions) {
		out[i] = p.String()
	}
	return strings.Join(out, ", ")
}

// positions are the next offsets to read, by partition.
type positions map[partition]int64

// sorted returns the partitions, topics by name and partitions by number.
func (p positions) sorted() []partition {
	out := make([]partition, 0, len(p))
	for k := range p {
		out = append(out, k)
	}
	slices.SortFunc(out, comparePartitions)
	return out
}

// MarshalJSON writes Spark's form, {"topic":{"0":5,"1":9}}, always in the same
// order: equal positions have equal texts.
func (p positions) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	last, open := "", false
	for _, k := range p.sorted() {
		if !open || k.topic != last {
			if open {
				b.WriteString("},")
			}
			name, err := json.Marshal(k.topic)
			if err != nil {
				return nil, err
			}
			b.Write(name)
			b.WriteString(":{")
			last, open = k.topic, true
		} else {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"%d":%d`, k.id, p[k])
	}
	if open {
		b.WriteByte('}')
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func (p positions) offset() base.Offset {
	b, err := p.MarshalJSON()
	if err != nil { // topic names are valid JSON strings
		return ""
	}
	return base.Offset(b)
}

// parseOffset reads what offset wrote; the empty offset has no partitions.
func parseOffset(o base.Offset) (positions, error) {
	if o == "" {
		return positions{}, nil
	}
	p, err := parsePartitionMap(string(o), 0)
	if err != nil {
		return nil, base.Errorf(base.CodeCorrupt, "the offset %.200q is not one of a Kafka source: %v", string(o), err)
	}
	return p, nil
}

// parsePartitionMap reads {"topic":{"0":5}}; no value may be below least.
func parsePartitionMap(s string, least int64) (positions, error) {
	var topics map[string]map[string]int64
	if err := decodeJSON(s, &topics); err != nil {
		return nil, err
	}
	if topics == nil {
		return nil, fmt.Errorf("null is not an object")
	}
	out := positions{}
	for topic, parts := range topics {
		if topic == "" {
			return nil, fmt.Errorf("a topic has no name")
		}
		for id, v := range parts {
			n, err := strconv.ParseInt(id, 10, 32)
			if err != nil || n < 0 || strconv.FormatInt(n, 10) != id {
				return nil, fmt.Errorf("topic %s: %q is not the number of a partition", topic, id)
			}
			if v < least {
				return nil, fmt.Errorf("%s-%s: %d is not an offset", topic, id, v)
			}
			out[partition{topic, int32(n)}] = v
		}
	}
	return out, nil
}

// parseAssign reads {"topic":[0,1]}.
func parseAssign(s string) ([]partition, error) {
	var topics map[string][]int32
	if err := decodeJSON(s, &topics); err != nil {
		return nil, err
	}
	var out []partition
	for topic, ids := range topics {
		for _, id := range ids {
			if id < 0 || topic == "" {
				return nil, fmt.Errorf("%q has no partition %d", topic, id)
			}
			out = append(out, partition{topic, id})
		}
	}
	slices.SortFunc(out, comparePartitions)
	out = slices.Compact(out)
	if len(out) == 0 {
		return nil, fmt.Errorf("it names no partition")
	}
	return out, nil
}

// decodeJSON reads one JSON value, and nothing behind it.
func decodeJSON(s string, into any) error {
	d := json.NewDecoder(strings.NewReader(s))
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("it is not JSON of this form")
	}
	if d.More() {
		return fmt.Errorf("there is text behind the JSON value")
	}
	if _, err := d.Token(); err == nil {
		return fmt.Errorf("there is text behind the JSON value")
	}
	return nil
}
