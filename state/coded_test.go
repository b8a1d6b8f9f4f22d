package state

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestCodedKeys puts keys in as codes and as texts: words, hashes and rows are the
// same, for keys of several columns, long values, NULLs, selections, and however
// often the dictionary changes.
func TestCodedKeys(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	kinds := map[string][]Kind{
		"text": {Bytes}, "text int": {Bytes, Int64}, "int text": {Int32, Bytes}, "two texts": {Bytes, Bytes},
		"encoded": {Bytes, Wide, Bytes}, "three": {Int64, Bytes, Int32},
	}
	for name, list := range kinds {
		t.Run(name, func(t *testing.T) {
			var fields []Field
			for c, k := range list {
				fields = append(fields, Field{Name: fmt.Sprint(c), Type: "T", Kind: k})
			}
			coded, plain := NewTable(Schema{Keys: fields}, 1), NewTable(Schema{Keys: fields}, 1)
			codedKeys, keys := NewKeys(fields, 1), NewKeys(fields, 1)
			dicts := make([]*Vector, len(fields))
			direct := 0
			for batch := range 60 {
				if batch == 40 {
					coded.Reset()
					plain.Reset()
				}
				n := 1 + rnd.IntN(50)
				vs, texts := make([]Vector, len(fields)), make([]Vector, len(fields))
				for c, f := range fields {
					if f.Kind != Bytes {
						vs[c] = randomColumn(rnd, f.Kind, n, 5)
						vs[c].Valid, texts[c] = nil, vs[c]
						texts[c].Valid = nil
						continue
					}
					if batch%7 == 0 {
						dicts[c] = randomDictionary(rnd, batch)
					}
					vs[c], texts[c] = randomCodes(rnd, dicts[c], n, batch%4 == 0)
				}
				var sel []int32
				live := n
				if batch%3 == 0 {
					sel = []int32{0}
					for i := 1; i < n; i++ {
						if rnd.IntN(2) == 0 {
							sel = append(sel, int32(i))
						}
					}
					live = len(sel)
				}
				for k, cols := range map[*Keys][]Vector{codedKeys: vs, keys: texts} {
					if err := k.Normalise(cols, n, sel); err != nil {
						t.Fatal(err)
					}
				}
				for _, r := range codedKeys.rows(sel) {
					if w := codedKeys.layout.words; codedKeys.hashes[r] != keys.hashes[r] || !slices.Equal(codedKeys.words[int(r)*w:int(r+1)*w], keys.words[int(r)*w:int(r+1)*w]) {
						t.Fatalf("batch %d: row %d of %q has other words or another hash than as codes", batch, r, showRow(texts, int(r)))
					}
				}
				want, got := make([]int32, live), make([]int32, live)
				if err := plain.Upsert(keys, sel, want); err != nil {
					t.Fatal(err)
				}
				done, err := coded.UpsertDirect(vs, sel, got)
				if done {
					direct++
				} else if err == nil {
					err = coded.Upsert(codedKeys, sel, got)
				}
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(got, want) {
					t.Fatalf("batch %d: rows %v, want %v", batch, got, want)
				}
			}
			if name != "encoded" && direct == 0 {
				t.Error("no batch was looked up by its codes")
			}
			for c := range fields {
				all := plain.live()
				a, _ := coded.Key(c, all)
				b, _ := plain.Key(c, all)
				for i := range all {
					if show(&a, i) != show(&b, i) {
						t.Fatalf("key column %d of row %d is %s, want %s", c, i, show(&a, i), show(&b, i))
					}
				}
			}
		})
	}
}

// randomDictionary has values that overlap with those of others, long ones from the
// twentieth batch on.
func randomDictionary(rnd *rand.Rand, batch int) *Vector {
	d := &Vector{Kind: Bytes, Off: []int32{0}}
	for i := range 1 + rnd.IntN(12) {
		s := fmt.Sprint("v", rnd.IntN(3)*100+i)
		if batch > 20 && i%3 == 0 {
			s = strings.Repeat(s, 10)
		}
		d.Data = append(d.Data, s...)
		d.Off = append(d.Off, int32(len(d.Data)))
		d.Len++
	}
	return d
}

// randomCodes returns n rows over dict as codes and as texts. The code of a NULL is
// none of dict.
func randomCodes(rnd *rand.Rand, dict *Vector, n int, nulls bool) (coded, plain Vector) {
	codes := make([]int32, n)
	plain = Vector{Kind: Bytes, Len: n, Off: make([]int32, n+1)}
	if nulls {
		plain.Valid = make([]byte, (n+7)/8)
	}
	for i := range codes {
		codes[i] = int32(rnd.IntN(dict.Len))
		if nulls && rnd.IntN(3) == 0 {
			codes[i] = -1_000_000
		} else {
			plain.Data = append(plain.Data, dict.At(int(codes[i]))...)
			if nulls {
				setBit(plain.Valid, i)
			}
		}
		plain.Off[i+1] = int32(len(plain.Data))
	}
	return Vector{Kind: Bytes, Len: n, Valid: plain.Valid, Data: bytesOf(codes), Dict: dict}, plain
}
