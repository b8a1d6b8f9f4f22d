package metamorphic

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"
)

// row is a row of the streams: id INT, k STRING, v INT, gap INT, ts TIMESTAMP.
type row struct {
	ID   int     `json:"id"`
	K    *string `json:"k"`
	V    *int    `json:"v"`
	Gap  int     `json:"gap"` // seconds; 0 and below are drawn as well
	time *int64  // microseconds
	TS   *string `json:"ts"`
}

const ddl = "id INT, k STRING, v INT, gap INT, ts TIMESTAMP"

func stamp(us int64) string { return time.UnixMicro(us).UTC().Format("2006-01-02 15:04:05.000000") }

func (r row) line() string {
	b, err := json.Marshal(r)
	if err != nil {
		panic(err) // of plain values
	}
	return string(b)
}

// key is the row's k as a map key: NULL is a key of its own.
func (r row) key() string {
	if r.K == nil {
		return "NULL"
	}
	return "=" + *r.K
}

// draw makes n rows whose times go forward with jumps back, often on a whole
// second, a window's edge, or the millisecond beside one; begin is their first.
func draw(r *rand.Rand, n, firstID int, begin int64) []row {
	rows := make([]row, n)
	now := begin
	for i := range rows {
		now += int64(r.IntN(3_000_000))
		at := now
		switch r.IntN(8) {
		case 0:
			at -= int64(r.IntN(40_000_000))
		case 1:
			at -= int64(r.IntN(5_000_000))
		case 2:
			at = at / 10_000_000 * 10_000_000
		case 3:
			at = at/1_000_000*1_000_000 + int64(r.IntN(3)-1)*[]int64{1, 1000}[r.IntN(2)]
		case 4:
			if i > 0 && rows[i-1].time != nil {
				at = *rows[i-1].time
			}
		}
		x := row{ID: firstID + i, Gap: []int{0, 1, 2, 5, 10, 10, -3}[r.IntN(7)]}
		if r.IntN(12) > 0 {
			k := fmt.Sprintf("k%d", r.IntN(4))
			if r.IntN(20) == 0 {
				k = "a key that is longer than fifteen bytes"
			}
			x.K = &k
		}
		if r.IntN(10) > 0 {
			v := r.IntN(7)
			x.V = &v
		}
		if r.IntN(25) > 0 {
			x.at(at)
		}
		rows[i] = x
	}
	return rows
}

func (r *row) at(us int64) {
	text := stamp(us)
	r.time, r.TS = &us, &text
}

// cut splits rows into n micro-batches at random places; some may be empty.
func cut(r *rand.Rand, rows []row, n int) [][]row {
	ends := make([]int, n)
	for i := range ends[:n-1] {
		ends[i] = r.IntN(len(rows) + 1)
	}
	ends[n-1] = len(rows)
	for i := 1; i < n; i++ { // few: insertion sort
		for j := i; j > 0 && ends[j] < ends[j-1]; j-- {
			ends[j], ends[j-1] = ends[j-1], ends[j]
		}
	}
	out, from := make([][]row, n), 0
	for i, end := range ends {
		out[i] = rows[from:end]
		from = end
	}
	return out
}
