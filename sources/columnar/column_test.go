package columnar

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

func TestTruncateUndoesAppends(t *testing.T) { // C2
	point := arrow.StructOf(arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Int32, Nullable: true}, arrow.Field{Name: "l", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true})
	fill := func(c *Column, i int) {
		if i%5 == 3 {
			c.AppendNull()
			return
		}
		c.Children[0].AppendInt(int64(i))
		for j := range i % 3 {
			if j == 1 {
				c.Children[1].Children[0].AppendNull()
			} else {
				c.Children[1].Children[0].AppendBytes([]byte(fmt.Sprint(i, j)))
			}
		}
		c.Children[1].CloseList()
		c.CloseStruct()
	}
	for cut := range 20 {
		a, _ := NewColumn("a", point)
		b, _ := NewColumn("b", point)
		for i := range 20 {
			fill(a, i)
		}
		a.Children[0].AppendInt(7) // a cell that was begun
		a.Children[1].Children[0].AppendNull()
		a.Truncate(cut)
		for i := range cut {
			fill(b, i)
		}
		for i := range 4 {
			fill(a, i)
			fill(b, i)
		}
		x, y := a.Finish(), b.Finish()
		if !array.Equal(x, y) || x.NullN() != y.NullN() {
			t.Fatalf("cut %d: got %v, want %v", cut, x, y)
		}
		if err := x.(*array.Struct).ValidateFull(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLines(t *testing.T) {
	for _, c := range []struct{ in, sep string }{
		{"a\nb\r\nc\rd", ""}, {"", ""}, {"\n\n", ""}, {"x\r", ""}, {"x\r\n", ""}, {"\ufeffa\n", ""}, {"a||b|c||", "||"},
		{strings.Repeat("long line ", 60_000) + "\r\n" + strings.Repeat("y", 300_000) + "\nend", ""},
	} {
		var want []string
		s := strings.TrimPrefix(c.in, "\ufeff")
		if c.sep == "" {
			s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
		} else {
			s = strings.ReplaceAll(s, c.sep, "\n")
		}
		if want = strings.Split(s, "\n"); want[len(want)-1] == "" {
			want = want[:len(want)-1]
		}
		for _, r := range []io.Reader{strings.NewReader(c.in), iotest.OneByteReader(strings.NewReader(c.in)), iotest.DataErrReader(strings.NewReader(c.in))} {
			l := NewLines(r, c.sep)
			var got []string
			for {
				b, err := l.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, string(b))
				if l.Position() != fmt.Sprintf("line %d", len(got)) {
					t.Fatalf("line %d says it is %s", len(got), l.Position())
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(want) || len(got) != len(want) {
				t.Errorf("%.20q: got %d lines, want %d", c.in, len(got), len(want))
			}
		}
	}
	l := NewLines(iotest.ErrReader(errors.New("disk on fire")), "")
	if _, err := l.Next(); err == nil || err.Error() != "disk on fire" {
		t.Errorf("got %v", err)
	}
	l = NewLines(io.MultiReader(bytes.NewReader(bytes.Repeat([]byte("x"), MaxLine+1<<20))), "")
	if _, err := l.Next(); err == nil {
		t.Error("a line of any length is taken")
	}
}
