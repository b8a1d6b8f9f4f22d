package csvtext

import "bytes"

// splitter cuts a line into cells.
type splitter struct {
	opt     *Options
	b       []byte
	i       int
	done    bool
	scratch []byte
}

func (s *splitter) reset(line []byte) { s.b, s.i, s.done = line, 0, false }

// next returns the next cell, whose bytes are valid until the following call.
// quoted tells that it was in quotes. ok is false after the last cell.
func (s *splitter) next() (cell []byte, quoted, ok bool) {
	if s.done {
		return nil, false, false
	}
	start := s.i
	if s.opt.TrimLeft {
		for start < len(s.b) && s.b[start] <= ' ' && !bytes.HasPrefix(s.b[start:], []byte(s.opt.Sep)) {
			start++
		}
	}
	if q := s.opt.Quote; q != 0 && start < len(s.b) && s.b[start] == q {
		if cell, ok := s.quotedCell(start); ok {
			return cell, true, true
		}
	}
	cell = s.bare(start)
	if s.opt.TrimRight {
		cell = bytes.TrimRight(cell, " \t")
	}
	return cell, false, true
}

// bare returns the bytes up to the next separator, which is passed.
func (s *splitter) bare(start int) []byte {
	end := s.sepAt(start)
	if end < 0 {
		s.done = true
		s.i = len(s.b)
		return s.b[start:]
	}
	s.i = end + len(s.opt.Sep)
	return s.b[start:end]
}

func (s *splitter) sepAt(from int) int {
	if len(s.opt.Sep) == 1 { // cells are short: a plain loop beats a call
		sep := s.opt.Sep[0]
		for i := from; i < len(s.b); i++ {
			if s.b[i] == sep {
				return i
			}
		}
		return -1
	}
	n := bytes.Index(s.b[from:], []byte(s.opt.Sep))
	if n < 0 {
		return -1
	}
	return from + n
}

// quotedCell returns the text between quotes. ok is false, and nothing is
// passed, if a quote stands in it without an escape.
func (s *splitter) quotedCell(start int) (cell []byte, ok bool) {
	quote, escape := s.opt.Quote, s.opt.Escape
	out, from := s.scratch[:0], start+1
	copied := false
	for i := from; i < len(s.b); i++ {
		c := s.b[i]
		if c == escape && escape != 0 && i+1 < len(s.b) {
			if d := s.b[i+1]; d == quote || d == escape {
				out = append(append(out, s.b[from:i]...), d)
				from, copied = i+2, true
				i++
				continue
			}
		}
		if c != quote {
			continue
		}
		// The quote ends the cell if a separator or the line's end follows,
		// perhaps after white space.
		j := i + 1
		for j < len(s.b) && s.b[j] <= ' ' && !bytes.HasPrefix(s.b[j:], []byte(s.opt.Sep)) {
			j++
		}
		if j < len(s.b) && !bytes.HasPrefix(s.b[j:], []byte(s.opt.Sep)) {
			return nil, false
		}
		cell = s.b[from:i]
		if copied {
			out = append(out, cell...)
			cell, s.scratch = out, out
		}
		if s.done = j >= len(s.b); !s.done {
			j += len(s.opt.Sep)
		}
		s.i = j
		return cell, true
	}
	// No closing quote: the cell is the rest of the line.
	s.done = true
	s.i = len(s.b)
	if copied {
		out = append(out, s.b[from:]...)
		s.scratch = out
		return out, true
	}
	return s.b[from:], true
}
