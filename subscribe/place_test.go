package subscribe

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/flightd/flightd/internal/base"
)

// aPlace is a place with everything a place can have.
func aPlace() *Place {
	return &Place{Position: Position{Query: uuid.NewString(), Epoch: 1 << 40, Row: 3, Shape: 0xdeadbeef}, Statement: [16]byte{1, 2, 3}, First: 1 << 40,
		From: []base.Offset{`{"table":"1f2e3d4c","row":17}`, ""}, Watermark: -5,
		Told: &Told{To: []base.Offset{`{"table":"1f2e3d4c","row":19}`, `{"t":{"0":5}}`}, Clock: 1_700_000_000_000, Late: 4, Pins: map[int]string{1: "[3]"}, Digest: base.Digest{9}}}
}

// A sealed place is itself or refused, whatever is done to its text.
func TestPlaces(t *testing.T) {
	key, other := Key{1}, Key{2}
	p := aPlace()
	text := key.Seal(p)
	if got, err := key.Open(text); err != nil || !reflect.DeepEqual(got, p) {
		t.Fatalf("%+v, %v", got, err)
	}
	refuses := func(bad string) {
		t.Helper()
		if got, err := key.Open(bad); err == nil {
			t.Fatalf("%q is taken for %+v", bad, got)
		} else if e := base.AsError(err); e.Condition != "SUBSCRIBE_INVALID_TOKEN" || e.Code != base.CodeInvalid {
			t.Fatalf("%q: %v", bad, err)
		}
	}
	for i := range text {
		refuses(text[:i])
		for _, c := range "Aa0_-=!" {
			if byte(c) != text[i] {
				refuses(text[:i] + string(c) + text[i+1:])
			}
		}
	}
	refuses(other.Seal(p))
	refuses(text + "A")
	refuses(p.Token()) // of the same position, but not sealed
	if key.Seed("q") == other.Seed("q") || key.Seed("q") == key.Seed("r") || key.Seed("q") != key.Seed("q") {
		t.Error("the seed is not that of key and query")
	}
	// Whoever has the key can make nothing that breaks what relies on a place.
	for i, change := range []func(*Place){
		func(p *Place) { p.Query = "" },
		func(p *Place) { p.Row = -1 },
		func(p *Place) { p.First++ },
		func(p *Place) { p.First = -1 },
		func(p *Place) { p.Told = nil },
		func(p *Place) { p.Told.To = p.Told.To[:1] },
		func(p *Place) { p.First-- },
	} {
		bad := aPlace()
		change(bad)
		if got, err := key.Open(key.Seal(bad)); err == nil {
			t.Errorf("change %d is taken: %+v", i, got)
		}
	}
}

// Offsets that take too much room have a token that says so.
func TestPlaceTooLong(t *testing.T) {
	key, r := Key{1}, rand.New(rand.NewPCG(1, 1))
	for _, partitions := range []int{100, 5000} {
		p := aPlace()
		var b strings.Builder
		for i := range partitions {
			fmt.Fprintf(&b, `"%d":%d,`, i, r.Uint64())
		}
		p.From[0] = base.Offset(b.String())
		text := key.Seal(p)
		got, err := key.Open(text)
		t.Logf("%d partitions: %d characters", partitions, len(text))
		if partitions == 100 && (err != nil || !reflect.DeepEqual(got, p)) {
			t.Errorf("got %+v, %v", got, err)
		}
		if partitions == 5000 && (err == nil || base.AsError(err).Condition != "SUBSCRIBE_NOT_RESUMABLE" || len(text) > 500) {
			t.Errorf("got %v", err)
		}
	}
}

// FuzzOpenPlace: no text breaks Open, and none that the key did not seal is taken; nor
// is one by ParseToken that is not a token.
func FuzzOpenPlace(f *testing.F) {
	key := Key{1}
	good := key.Seal(aPlace())
	f.Add(good)
	f.Add(aPlace().Token())
	f.Add("")
	f.Add("Ag")
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.NewReplacer("\n", "", "\r", "").Replace(text) // base64 leaves them out
		if p, err := key.Open(text); err == nil && text != good && key.Seal(p) != text {
			t.Errorf("%q is taken for %+v", text, p)
		}
		if p, err := ParseToken(text); err == nil && p.Token() != text {
			t.Errorf("%q is taken for %+v", text, p)
		}
	})
}
