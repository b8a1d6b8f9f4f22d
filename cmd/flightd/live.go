package main

import (
	"fmt"
	"io"
	"strings"
)

// endless are rows that have no end of their own; local and remote rows say so.
type endless interface{ Endless() bool }

// printLive prints rows as they come, until their end, a signal, or an error. A
// signal is how one leaves.
func printLive(s *session, r rows, zone string) error {
	t := newTable(r.Schema(), s.term.interactive, zone)
	var n int64
	for {
		rec, err := r.Next(s.ctx)
		switch {
		case err == io.EOF, err != nil && s.ctx.Err() != nil:
			_, err := fmt.Fprintln(s.term.out, plural(n, "row"))
			return err
		case err != nil:
			return err
		}
		n += rec.NumRows()
		t.add(rec)
		rec.Release()
		if err := t.flow(s.term.out); err != nil {
			return err
		}
	}
}

// flow prints the rows that were added and forgets them. The head stands before
// the first, and again when a column becomes wider.
func (t *table) flow(w io.Writer) error {
	if len(t.cells) == 0 && t.flowed != nil {
		return nil
	}
	var b strings.Builder
	line := func(cells []string, right []bool) {
		for i, c := range cells {
			pad := strings.Repeat(" ", t.width[i]-runes(c))
			if right != nil && right[i] {
				c = pad + c
			} else {
				c += pad
			}
			b.WriteString("│ " + c + " ")
		}
		b.WriteString("│\n")
	}
	if t.grew() {
		line(t.names, t.right)
		line(t.types, t.right)
		b.WriteString("├")
		for i, n := range t.width {
			if i > 0 {
				b.WriteString("┼")
			}
			b.WriteString(strings.Repeat("─", n+2))
		}
		b.WriteString("┤\n")
	}
	for _, cells := range t.cells {
		line(cells, t.right)
	}
	if left := t.total - int64(len(t.cells)); left > 0 {
		fmt.Fprintf(&b, "… %s more\n", plural(left, "row"))
	}
	t.cells, t.total = nil, 0
	_, err := io.WriteString(w, b.String())
	return err
}

// grew reports whether the columns are wider than when the head was printed.
func (t *table) grew() bool {
	for i, n := range t.width {
		if i >= len(t.flowed) || n > t.flowed[i] {
			t.flowed = append([]int(nil), t.width...)
			return true
		}
	}
	return false
}

// subscribes reports whether a statement has an endless result.
func subscribes(text string) bool {
	for text = strings.TrimSpace(text); strings.HasPrefix(text, "--"); text = strings.TrimSpace(text) {
		_, text, _ = strings.Cut(text, "\n")
	}
	return len(text) > 9 && strings.EqualFold(text[:9], "SUBSCRIBE")
}
