package kafka

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/kafkaclient/kafkatest"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/sourcetest"
)

func TestRestartReadsEachRecordOnce(t *testing.T) {
	c := fake(t, 3, "t")
	p := kafkatest.NewClient(t, servers(c))
	o := options(c, "subscribe", "t", "startingOffsets", "earliest", "maxOffsetsPerTrigger", "7")
	var all []string
	from := initial(t, stream(t, o))
	for round := range 4 {
		for part := range int32(3) {
			p.Send("t", part, kafkatest.Numbered(fmt.Sprintf("r%d-%d-", round, part), 5+int(part)*10)...)
		}
		s := stream(t, o) // a restart, and later startingOffsets do not matter
		for {
			to := latest(t, s, from, true)
			if to == from {
				break
			}
			all = append(all, values(t, s, from, to)...)
			from = to
		}
	}
	slices.Sort(all)
	if n := len(slices.Compact(slices.Clone(all))); n != 4*(5+15+25) || len(all) != n {
		t.Errorf("%d records, %d of them different, want %d", len(all), n, 4*45)
	}
	if want := at("t", 20, 60, 100); from != want {
		t.Errorf("it ends at %s, want %s", from, want)
	}
}

func TestColumns(t *testing.T) {
	c := fake(t, 2, "t")
	p := kafkatest.NewClient(t, servers(c))
	p.SendRecords(&kgo.Record{Topic: "t", Partition: 1, Key: []byte("k"), Value: []byte("v"), Timestamp: time.UnixMilli(1_700_000_000_123), Headers: []kgo.RecordHeader{{Key: "a", Value: []byte("1")}, {Key: "a"}, {Key: "\xff", Value: []byte{}}}},
		&kgo.Record{Topic: "t", Partition: 1, Timestamp: time.UnixMilli(0)})
	s := stream(t, options(c, "subscribe", "t", "includeHeaders", "true"))
	got := sourcetest.ReadRange(t, s, "", latest(t, s, "", false), sources.Scan{})
	want := []string{
		`aw==|dg==|t|1|0|2023-11-14T22:13:20.123Z|0|[{"key":"a","value":"MQ=="},{"key":"a","value":null},{"key":"�","value":""}]`,
		`(null)|(null)|t|1|1|1970-01-01T00:00:00Z|0|(null)`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if n := s.Schema().NumFields(); n != 8 {
		t.Errorf("%d columns", n)
	}
	if n := stream(t, options(c, "subscribe", "t")).Schema().NumFields(); n != 7 {
		t.Errorf("%d columns without headers", n)
	}
}

func TestStartingOptions(t *testing.T) {
	c := fake(t, 2, "t")
	p := kafkatest.NewClient(t, servers(c))
	for i := range 10 {
		p.SendRecords(&kgo.Record{Topic: "t", Partition: 0, Timestamp: time.UnixMilli(int64(1000 * i))}, &kgo.Record{Topic: "t", Partition: 1, Timestamp: time.UnixMilli(int64(2000 * i))})
	}
	if err := c.DeleteRecords("t", 0, 2); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		options []string
		want    base.Offset
	}{
		{nil, at("t", 10, 10)},
		{[]string{"startingOffsets", "LATEST"}, at("t", 10, 10)},
		{[]string{"startingOffsets", "earliest"}, at("t", 2, 0)},
		{[]string{"startingOffsets", `{"t":{"0":-2,"1":-1}}`}, at("t", 2, 10)},
		{[]string{"startingOffsets", `{"t":{"0":5,"1":0}}`}, at("t", 5, 0)},
		{[]string{"startingTimestamp", "4500"}, at("t", 5, 3)},
		{[]string{"startingOffsetsByTimestamp", `{"t":{"0":7000,"1":0}}`}, at("t", 7, 0)},
		{[]string{"startingTimestamp", "4500", "startingOffsetsByTimestamp", `{"t":{"0":7000,"1":0}}`, "startingOffsets", "earliest"}, at("t", 5, 3)},
		{[]string{"startingOffsetsByTimestamp", `{"t":{"0":7000,"1":0}}`, "startingOffsets", "earliest"}, at("t", 7, 0)},
		{[]string{"startingTimestamp", "9500", "startingOffsetsByTimestampStrategy", "latest"}, at("t", 10, 5)},
		{[]string{"startingOffsets", `{"t":{"0":1,"1":99}}`, "failOnDataLoss", "false"}, at("t", 2, 10)},
	} {
		if got := initial(t, stream(t, options(c, append(x.options, "subscribe", "t")...))); got != x.want {
			t.Errorf("%v: got %s, want %s", x.options, got, x.want)
		}
	}
	for _, x := range []struct {
		options []string
		code    base.Code
		parts   []string
	}{
		{[]string{"startingTimestamp", "9500"}, base.CodeInvalid, []string{"No offset matched", "t-0", "9500", "Strategy"}},
		{[]string{"startingOffsets", `{"t":{"0":1,"1":3}}`}, base.CodeInvalid, []string{"KAFKA_DATA_LOSS.START_OFFSET_RESET", "t-0", "22000"}},
		{[]string{"startingOffsets", `{"t":{"0":4}}`}, base.CodeInvalid, []string{"KAFKA_START_OFFSET_DOES_NOT_MATCH_ASSIGNED", "Assigned: t-0, t-1"}},
		{[]string{"startingOffsetsByTimestamp", `{"u":{"0":4}}`}, base.CodeInvalid, []string{"KAFKA_TIMESTAMP_OFFSET_DOES_NOT_MATCH_ASSIGNED", "u-0"}},
	} {
		_, err := stream(t, options(c, append(x.options, "subscribe", "t")...)).Initial(t.Context())
		wantError(t, err, x.code, x.parts...)
	}
	_, err := stream(t, options(c, "subscribe", "t,nowhere")).Initial(t.Context())
	wantError(t, err, base.CodeNotFound, "nowhere")
	_, err = stream(t, options(c, "assign", `{"t":[0,2]}`)).Initial(t.Context())
	wantError(t, err, base.CodeNotFound, "t-2")
}

func TestSubscribing(t *testing.T) {
	c := fake(t, 2, "aa", "ab", "b")
	for o, want := range map[[2]string][2]string{
		{"subscribe", "b, aa"}:             {"KafkaV2[Subscribe[b, aa]]", `{"aa":{"0":0,"1":0},"b":{"0":0,"1":0}}`},
		{"subscribePattern", "a."}:         {"KafkaV2[SubscribePattern[a.]]", `{"aa":{"0":0,"1":0},"ab":{"0":0,"1":0}}`},
		{"subscribePattern", "a"}:          {"KafkaV2[SubscribePattern[a]]", `{}`},
		{"subscribePattern", "a|b"}:        {"KafkaV2[SubscribePattern[a|b]]", `{"b":{"0":0,"1":0}}`},
		{"assign", `{"b":[1],"aa":[0]}`}:   {"KafkaV2[Assign[aa-0, b-1]]", `{"aa":{"0":0},"b":{"1":0}}`},
		{"assign", `{"b":[1,1], "aa":[]}`}: {"KafkaV2[Assign[b-1]]", `{"b":{"1":0}}`},
	} {
		s := stream(t, options(c, o[0], o[1]))
		if got := initial(t, s); s.Describe() != want[0] || string(got) != want[1] {
			t.Errorf("%v: got %s %s, want %v", o, s.Describe(), got, want)
		}
	}
}

func TestNewPartitionsStartAtTheirBeginning(t *testing.T) {
	c := fake(t, 1, "pre-a")
	p := kafkatest.NewClient(t, servers(c))
	p.Send("pre-a", 0, "old")
	s := stream(t, options(c, "subscribePattern", "pre-.*", "maxOffsetsPerTrigger", "100"))
	from := initial(t, s) // the end
	if resp, err := p.Admin().CreatePartitions(t.Context(), 1, "pre-a"); err != nil || resp.Error() != nil {
		t.Fatal(err, resp.Error())
	}
	if err := c.CreateTopic("pre-b", 1, nil); err != nil {
		t.Fatal(err)
	}
	q := kafkatest.NewClient(t, servers(c))
	q.Send("pre-a", 1, "a1", "a2")
	q.Send("pre-b", 0, "b1")
	q.Send("pre-a", 0, "new")
	to := latest(t, s, from, true)
	if want := `{"pre-a":{"0":2,"1":2},"pre-b":{"0":1}}`; string(to) != want {
		t.Fatalf("got %s, want %s", to, want)
	}
	if got, want := values(t, s, from, to), []string{"new", "a1", "a2", "b1"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAddedPartitionThatLostRecords(t *testing.T) {
	c := fake(t, 1, "pre-a")
	s := stream(t, options(c, "subscribePattern", "pre-.*"))
	loose := stream(t, options(c, "subscribePattern", "pre-.*", "failOnDataLoss", "false"))
	from := initial(t, s)
	if err := c.CreateTopic("pre-b", 1, nil); err != nil {
		t.Fatal(err)
	}
	kafkatest.NewClient(t, servers(c)).Send("pre-b", 0, "x", "y", "z")
	if err := c.DeleteRecords("pre-b", 0, 2); err != nil {
		t.Fatal(err)
	}
	_, err := s.Latest(t.Context(), from, sources.Limit{})
	wantError(t, err, base.CodeInvalid, "KAFKA_DATA_LOSS.ADDED_PARTITION_DOES_NOT_START_FROM_OFFSET_ZERO", "pre-b-0 starts from 2", "failOnDataLoss")
	to := latest(t, loose, from, false)
	if got := values(t, loose, from, to); !slices.Equal(got, []string{"z"}) {
		t.Errorf("got %v", got)
	}
	if m := loose.Metrics(to); m["lostOffsets"] != "2" {
		t.Errorf("metrics %v", m)
	}
}

func TestDataLoss(t *testing.T) {
	setup := func(t *testing.T) (strict, loose *Source, from base.Offset, change func(string)) {
		c := fake(t, 2, "t")
		p := kafkatest.NewClient(t, servers(c))
		p.Send("t", 0, kafkatest.Numbered("a", 10)...)
		p.Send("t", 1, kafkatest.Numbered("b", 10)...)
		short := []string{"subscribe", "t", "kafkaConsumer.pollTimeoutMs", "2000", "kafka.group.id", "g"}
		strict, loose = stream(t, options(c, short...)), stream(t, options(c, append(short, "failOnDataLoss", "false")...))
		return strict, loose, at("t", 2, 2), func(what string) {
			var err error
			switch what {
			case "aged out":
				err = c.DeleteRecords("t", 0, 6)
			case "all aged out":
				err = c.DeleteRecords("t", 0, 10)
			case "deleted":
				err = c.DeleteTopic("t")
			case "recreated":
				if err = c.DeleteTopic("t"); err == nil {
					if err = c.CreateTopic("t", 2, nil); err == nil {
						kafkatest.NewClient(t, servers(c)).Send("t", 0, "fresh")
					}
				}
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct{ what, readError, latestError, lost string }{
		{"aged out", "COULD_NOT_READ_OFFSET_RANGE", "", "4"},
		{"all aged out", "COULD_NOT_READ_OFFSET_RANGE", "", "8"},
		{"deleted", "PARTITIONS_DELETED_AND_GROUP_ID_CONFIG_PRESENT", "PARTITIONS_DELETED_AND_GROUP_ID_CONFIG_PRESENT", "16"},
		{"recreated", "COULD_NOT_READ_OFFSET_RANGE", "PARTITION_OFFSET_CHANGED", "16"},
	} {
		t.Run(c.what, func(t *testing.T) {
			strict, loose, from, change := setup(t)
			to := latest(t, strict, from, false)
			want := values(t, strict, from, to)
			change(c.what)
			read := func(s *Source) ([]string, error) {
				splits, err := s.Read(t.Context(), from, to, sources.Scan{Columns: []int{colValue}})
				if err != nil {
					return nil, err
				}
				rows, err := sourcetest.ReadSplits(t.Context(), t, splits, newColumns(s.schema, []int{colValue}, 0, sizes{}).schema, 0)
				return texts64(t, rows), err
			}
			_, err := read(strict)
			wantError(t, err, base.CodeInvalid, "KAFKA_DATA_LOSS."+c.readError, "t-0")
			got, err := read(loose)
			if err != nil {
				t.Fatal(err)
			}
			if !subset(got, want) || loose.Metrics(to)["lostOffsets"] != c.lost {
				t.Errorf("going on: got %v of %v, metrics %v", got, want, loose.Metrics(to))
			}
			_, err = strict.Latest(t.Context(), to, sources.Limit{})
			if c.latestError == "" && err != nil {
				t.Error(err)
			} else if c.latestError != "" {
				wantError(t, err, base.CodeInvalid, "KAFKA_DATA_LOSS."+c.latestError)
			}
			next, err := loose.Latest(t.Context(), to, sources.Limit{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := loose.Read(t.Context(), to, next, sources.Scan{}); err != nil {
				t.Error(err)
			}
			if again := latest(t, loose, next, false); again != next {
				t.Errorf("after the loss it goes from %s to %s for ever", next, again)
			}
		})
	}
}

func subset(part, whole []string) bool {
	return !slices.ContainsFunc(part, func(s string) bool { return !slices.Contains(whole, s) })
}

func TestTransactionsAndGaps(t *testing.T) {
	c := fake(t, 1, "t")
	plain := kafkatest.NewClient(t, servers(c))
	txn := kafkatest.NewClient(t, servers(c), kgo.TransactionalID("x"))
	plain.Send("t", 0, "p0", "p1")
	txn.Transaction(true, "t", 0, "c0", "c1")
	txn.Transaction(false, "t", 0, "a0", "a1", "a2")
	plain.Send("t", 0, "p2")
	txn.Transaction(false, "t", 0, "a3")
	committed := stream(t, options(c, "subscribe", "t", "kafka.isolation.level", "read_committed"))
	dirty := stream(t, options(c, "subscribe", "t"))
	end := latest(t, committed, "", false)
	if want := at("t", 2+3+4+1+2); end != want {
		t.Fatalf("it ends at %s, want %s, markers counted", end, want)
	}
	if got, want := values(t, committed, "", end), []string{"p0", "p1", "c0", "c1", "p2"}; !slices.Equal(got, want) {
		t.Errorf("committed: got %v, want %v", got, want)
	}
	if got, want := values(t, dirty, "", end), []string{"p0", "p1", "c0", "c1", "a0", "a1", "a2", "p2", "a3"}; !slices.Equal(got, want) {
		t.Errorf("uncommitted: got %v, want %v", got, want)
	}
	// A range of gaps only, and every range of one offset: together they are all.
	var one []string
	for o := range int64(12) {
		one = append(one, values(t, committed, at("t", o), at("t", o+1))...)
	}
	if want := []string{"p0", "p1", "c0", "c1", "p2"}; !slices.Equal(one, want) {
		t.Errorf("offset by offset: got %v, want %v", one, want)
	}
	// An open transaction is the end for those who read committed records.
	if err := txn.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	txn.Send("t", 0, "open")
	plain.Send("t", 0, "behind")
	if got := latest(t, committed, end, false); got != end {
		t.Errorf("behind an open transaction: %s", got)
	}
	if got := latest(t, dirty, end, false); got != at("t", 14) {
		t.Errorf("uncommitted records end at %s", got)
	}
	if err := txn.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	next := latest(t, committed, end, false)
	if got, want := values(t, committed, end, next), []string{"open", "behind"}; !slices.Equal(got, want) {
		t.Errorf("after the commit: got %v, want %v", got, want)
	}
}

func TestCompaction(t *testing.T) {
	c := fake(t, 1, "other")
	if err := c.CreateTopic("t", 1, map[string]string{"cleanup.policy": "compact", "segment.bytes": "1", "min.cleanable.dirty.ratio": "0"}); err != nil {
		t.Fatal(err)
	}
	p := kafkatest.NewClient(t, servers(c))
	p.SendRecords(&kgo.Record{Topic: "t", Key: []byte("first"), Value: []byte("f")})
	for i := range 30 {
		p.SendRecords(&kgo.Record{Topic: "t", Key: fmt.Append(nil, "k", i%3), Value: fmt.Append(nil, "v", i)})
	}
	s := stream(t, options(c, "subscribe", "t", "kafkaConsumer.pollTimeoutMs", "10000"))
	end := latest(t, s, "", false)
	c.Compact()
	got := values(t, s, "", end)
	if len(got) < 4 || len(got) >= 30 || got[0] != "f" || got[len(got)-1] != "v29" {
		t.Fatalf("after compaction: %v", got)
	}
	if rest := values(t, s, at("t", 5), at("t", 6)); len(rest) > 1 {
		t.Errorf("a range inside a gap has %v", rest)
	}
}

func TestMaxOffsetsIsSharedByLag(t *testing.T) {
	c := fake(t, 3, "t")
	p := kafkatest.NewClient(t, servers(c))
	p.Send("t", 0, kafkatest.Numbered("a", 70)...)
	p.Send("t", 1, kafkatest.Numbered("b", 29)...)
	p.Send("t", 2, "c")
	s := stream(t, options(c, "subscribe", "t", "startingOffsets", "earliest", "maxOffsetsPerTrigger", "10"))
	from := initial(t, s)
	first := latest(t, s, from, true)
	if want := at("t", 7, 2, 1); first != want {
		t.Errorf("got %s, want %s", first, want)
	}
	if second := latest(t, s, first, true); second != at("t", 14, 5, 1) {
		t.Errorf("then %s", second)
	}
	if all := latest(t, s, first, false); all != at("t", 70, 29, 1) {
		t.Errorf("without limits %s", all)
	}
	if m := s.Metrics(first); m["minOffsetsBehindLatest"] != "0" || m["maxOffsetsBehindLatest"] != "63" || m["avgOffsetsBehindLatest"] != "30.0" || m["estimatedTotalBytesBehindLatest"] != "" {
		t.Errorf("metrics %v", m)
	}
	values(t, s, from, first)
	if m := s.Metrics(first); m["estimatedTotalBytesBehindLatest"] == "" {
		t.Errorf("metrics %v", m)
	}
	if err := s.Freeze(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	p.Send("t", 2, "late")
	steps := 0
	for at := first; ; steps++ {
		to := latest(t, s, at, true)
		if to == at {
			break
		}
		at = to
	}
	if steps < 9 || steps > 12 {
		t.Errorf("available now took %d steps for 90 offsets, 10 each", steps)
	}
}

func TestMinOffsetsAndMaxDelay(t *testing.T) {
	c := fake(t, 1, "t")
	p := kafkatest.NewClient(t, servers(c))
	clock := base.NewVirtualClock(time.Unix(1000, 0))
	src, err := Provider().Stream(t.Context(), sources.Config{Clock: clock,
		Options: options(c, "subscribe", "t", "startingOffsets", "earliest", "minOffsetsPerTrigger", "5", "maxOffsetsPerTrigger", "8", "maxTriggerDelay", "1m")})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	s := src.(*Source)
	from := initial(t, s)
	step := func(want int64) {
		t.Helper()
		to := latest(t, s, from, true)
		if to != at("t", want) {
			t.Errorf("got %s, want %d", to, want)
		}
		from = to
	}
	p.Send("t", 0, "a")
	step(1) // the first epoch does not wait
	p.Send("t", 0, "b", "c")
	step(1)
	clock.Advance(59 * time.Second)
	step(1)
	clock.Advance(time.Second)
	step(3) // the delay is over
	p.Send("t", 0, kafkatest.Numbered("d", 4)...)
	step(3)
	p.Send("t", 0, kafkatest.Numbered("e", 6)...)
	step(11) // enough
	p.Send("t", 0, "f")
	step(11)
	if err := s.Freeze(t.Context(), from); err != nil {
		t.Fatal(err)
	}
	step(14) // available now waits for nothing
}

func TestSplits(t *testing.T) {
	c := fake(t, 2, "t")
	p := kafkatest.NewClient(t, servers(c))
	p.Send("t", 0, kafkatest.Numbered("a", 90)...)
	p.Send("t", 1, kafkatest.Numbered("b", 10)...)
	for _, x := range []struct {
		options []string
		want    string
	}{
		{nil, "t-0[0,90) t-1[0,10)"},
		{[]string{"minPartitions", "1"}, "t-0[0,90) t-1[0,10)"},
		{[]string{"minPartitions", "4"}, "t-0[0,30) t-0[30,60) t-0[60,90) t-1[0,10)"},
		{[]string{"maxRecordsPerPartition", "40"}, "t-0[0,30) t-0[30,60) t-0[60,90) t-1[0,10)"},
		{[]string{"maxRecordsPerPartition", "60", "minPartitions", "5"}, "t-0[0,22) t-0[22,45) t-0[45,67) t-0[67,90) t-1[0,10)"},
	} {
		s := stream(t, options(c, append(x.options, "subscribe", "t")...))
		splits, err := s.Read(t.Context(), "", at("t", 90, 10), sources.Scan{})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, sp := range splits {
			names = append(names, sp.String())
		}
		if got := strings.Join(names, " "); got != x.want {
			t.Errorf("%v: got %s, want %s", x.options, got, x.want)
		}
		if got := values(t, s, "", at("t", 90, 10)); len(got) != 100 || got[0] != "a0" || got[99] != "b9" {
			t.Errorf("%v: %d rows", x.options, len(got))
		}
	}
}

// Record batches are cut alike, whatever a fetch returns.
func TestCutsDependOnTheRangeOnly(t *testing.T) {
	c := fake(t, 1, "t")
	p := kafkatest.NewClient(t, servers(c), kgo.ProducerLinger(0))
	for range 20 {
		p.Send("t", 0, strings.Repeat("x", 700), "y", strings.Repeat("z", 3000))
	}
	p.Send("t", 0, strings.Repeat("long", 50_000))
	var want []int64
	for _, extra := range [][]string{nil, {"kafka.max.partition.fetch.bytes", "1000"}, {"kafka.max.partition.fetch.bytes", "1", "kafka.fetch.max.bytes", "2000000"}} {
		s := stream(t, options(c, append(extra, "subscribe", "t")...))
		splits, err := s.Read(t.Context(), "", at("t", 61), sources.Scan{BatchRows: 9})
		if err != nil {
			t.Fatal(err)
		}
		r, err := splits[0].Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		for {
			rec, err := r.Next(t.Context())
			if err != nil {
				break
			}
			got = append(got, rec.NumRows())
			rec.Release()
		}
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) || len(got) != 7 {
			t.Errorf("%v: cut into %v, want %v", extra, got, want)
		}
	}
}
