package seglog

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/flightd/flightd/internal/base"
)

var limits = Limits{Min: 1, Max: 1 << 22}

func frame(body []byte) []byte {
	b := append(make([]byte, HeadLen), body...)
	Seal(b)
	return b
}

// bodies are short, empty but for a byte, and longer than the writer's buffer.
func bodies() [][]byte {
	var out [][]byte
	for i, n := range []int{1, 300, 200 << 10, 7, 500 << 10, 1, 100 << 10, 100 << 10, 100 << 10} {
		out = append(out, bytes.Repeat([]byte{byte(i + 1)}, n))
	}
	return out
}

func write(t *testing.T, path string) (places []int64, size int64) {
	t.Helper()
	w, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range bodies() {
		parts := [][]byte{frame(b)}
		if i%2 == 1 { // in two parts
			head := append(make([]byte, HeadLen), b[:len(b)/2]...)
			SealParts(head, b[len(b)/2:])
			parts = [][]byte{head, b[len(b)/2:]}
		}
		at, err := w.Append(parts...)
		if err != nil {
			t.Fatal(err)
		}
		places = append(places, at)
	}
	if err := w.Sync(); err != nil {
		t.Fatal(err)
	}
	size = w.Size()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return places, size
}

func TestFrames(t *testing.T) { // G1
	path := filepath.Join(t.TempDir(), "s")
	places, size := write(t, path)
	if _, err := Create(path); !errors.Is(err, os.ErrExist) {
		t.Errorf("created twice: %v", err)
	}
	n := 0
	torn, err := Load(path, limits, func(at int64, body []byte) error {
		if at != places[n] || !bytes.Equal(body, bodies()[n]) {
			t.Errorf("frame %d at %d", n, at)
		}
		n++
		return nil
	})
	if n != len(places) || torn != Whole || err != nil {
		t.Errorf("%d frames, torn at %d, %v", n, torn, err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n = 0
	err = Walk(path, limits, 64, func(at, size int64, start []byte) error {
		want := bodies()[n]
		if at != places[n] || size != int64(HeadLen+len(want)) || !bytes.Equal(start, want[:min(64, len(want))]) {
			t.Errorf("walking: frame %d at %d of %d bytes", n, at, size)
		}
		if got, err := ReadFrame(f, at, size, limits); err != nil || !bytes.Equal(got, want) {
			t.Errorf("frame %d: %v", n, err)
		}
		n++
		return nil
	})
	if n != len(places) || err != nil {
		t.Errorf("walked %d frames, %v", n, err)
	}
	if st, err := f.Stat(); err != nil || st.Size() != size {
		t.Errorf("%v, %v", st, err)
	}
}

func TestTornAndDamaged(t *testing.T) { // G1, G2
	dir := t.TempDir()
	path := filepath.Join(dir, "s")
	places, size := write(t, path)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	load := func(b []byte) (frames int, torn int64, err error) {
		bad := filepath.Join(dir, "bad")
		if err := os.WriteFile(bad, b, 0o644); err != nil {
			t.Fatal(err)
		}
		torn, err = Load(bad, limits, func(int64, []byte) error { frames++; return nil })
		return frames, torn, err
	}
	if frames, torn, err := load(nil); frames != 0 || torn != 0 || err != nil {
		t.Errorf("empty: %d frames, torn at %d, %v", frames, torn, err)
	}
	last := places[len(places)-1]
	for _, n := range []int64{last + 1, last + 11, last + 12, last + 5000, size - 1} {
		if frames, torn, err := load(good[:n]); frames != len(places)-1 || torn != last || err != nil {
			t.Errorf("cut at %d: %d frames, torn at %d, %v", n, frames, torn, err)
		}
		zero := append(bytes.Clone(good[:last]), make([]byte, n-last)...)
		if frames, torn, err := load(zero); frames != len(places)-1 || torn != last || err != nil {
			t.Errorf("zero from %d to %d: %d frames, torn at %d, %v", last, n, frames, torn, err)
		}
	}
	for _, at := range []int64{0, 3, 4, 8, 11, 12, places[2] + 100, places[4] + 9, last + 2, last + 10} {
		bad := bytes.Clone(good)
		bad[at] ^= 4
		if _, _, err := load(bad); base.CodeOf(err) != base.CodeCorrupt {
			t.Errorf("byte %d: %v", at, err)
		}
	}
	bad := bytes.Clone(good)
	bad[size-1] ^= 4 // the body of the last frame: it was not finished
	if frames, torn, err := load(bad); frames != len(places)-1 || torn != last || err != nil {
		t.Errorf("%d frames, torn at %d, %v", frames, torn, err)
	}
	if err := Walk(filepath.Join(dir, "bad"), limits, 8, func(int64, int64, []byte) error { return fmt.Errorf("no") }); base.CodeOf(err) != base.CodeCorrupt {
		t.Error(err)
	}
}

func TestAbandon(t *testing.T) { // G3
	path := filepath.Join(t.TempDir(), "s")
	w, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := w.Append(frame(make([]byte, 200<<10))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Abandon(200<<10 + HeadLen); err != nil {
		t.Fatal(err)
	}
	n := 0
	if torn, err := Load(path, limits, func(int64, []byte) error { n++; return nil }); n != 1 || torn != Whole || err != nil {
		t.Errorf("%d frames, %d, %v", n, torn, err)
	}
	if err := Cut(path, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
