package flightd_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A subscription to a topic goes on at its offsets, within an epoch and behind one, also
// in a server that was started again.
func TestSubscribeResumesKafka(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, "clicks"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	n := 0
	produce := func(count int) {
		t.Helper()
		for range count {
			r := &kgo.Record{Topic: "clicks", Key: []byte(strconv.Itoa(n % 5)), Value: []byte(strconv.Itoa(n))}
			if err := client.ProduceSync(context.Background(), r).FirstErr(); err != nil {
				t.Fatal(err)
			}
			n++
		}
	}
	w := newWorld(t)
	w.realTime = true
	w.open()
	w.exec(fmt.Sprintf("CREATE TABLE k USING kafka OPTIONS ('kafka.bootstrap.servers' = '%s', 'subscribe' = 'clicks', 'startingOffsets' = 'earliest', 'maxOffsetsPerTrigger' = '9')", strings.Join(cluster.ListenAddrs(), ",")))
	const what = "SUBSCRIBE TO (SELECT CAST(CAST(value AS STRING) AS BIGINT) AS n FROM STREAM k WHERE value IS NOT NULL)"
	var got []int64
	resume := ""
	for round := range 8 {
		produce(20)
		text := what
		if resume != "" {
			text += " RESUME '" + resume + "'"
		}
		f := w.subscribe(text)
		for len(got) < n-3*(round%3) {
			rows, cut, err := f.some(int64(1 + round%4))
			if err != nil {
				t.Fatal(err)
			}
			got, resume = append(got, values(rows, "")...), f.resume
			if cut {
				f.r.Close()
				f = w.subscribe(what + " RESUME '" + resume + "'")
			}
		}
		f.r.Close()
		if round%2 == 1 {
			w.open()
		}
	}
	f := w.subscribe(what + " RESUME '" + resume + "'")
	for len(got) < n {
		rows, _, err := f.some(1 << 20)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, values(rows, "")...)
	}
	if slices.Sort(got); len(got) != n || len(slices.Compact(slices.Clone(got))) != n || got[0] != 0 || got[n-1] != int64(n-1) {
		t.Errorf("%d messages, got %v", n, got)
	}
	t.Logf("%d messages, a token of %d characters", n, len(resume))
}
