package main

import "strings"

// A splitter cuts typed lines into statements at semicolons that stand outside
// quotes and comments.
type splitter struct {
	buf strings.Builder
}

// add takes a line and returns the statements that are complete with it, without
// their semicolons.
func (s *splitter) add(line string) []string {
	s.buf.WriteString(line)
	s.buf.WriteByte('\n')
	var out []string
	for {
		text := s.buf.String()
		end := statementEnd(text)
		if end < 0 {
			return out
		}
		if stmt := strings.TrimSpace(text[:end]); !blank(stmt) {
			out = append(out, stmt)
		}
		s.buf.Reset()
		s.buf.WriteString(text[end+1:])
	}
}

// rest returns what stands after the last semicolon.
func (s *splitter) rest() string {
	text := strings.TrimSpace(s.buf.String())
	s.buf.Reset()
	if blank(text) {
		return ""
	}
	return text
}

// waiting reports whether a statement has begun.
func (s *splitter) waiting() bool { return !blank(s.buf.String()) }

// statementEnd returns the place of the first semicolon that ends a statement,
// or −1.
func statementEnd(s string) int {
	for i := 0; i < len(s); {
		n := skip(s[i:])
		if n > 0 {
			i += n
			continue
		}
		if s[i] == ';' {
			return i
		}
		i++
	}
	return -1
}

// skip returns the length of the quoted text or comment that s begins with, or 0.
// One that does not end reaches to the end of s.
func skip(s string) int {
	switch {
	case strings.HasPrefix(s, "--"):
		if i := strings.IndexByte(s, '\n'); i >= 0 {
			return i + 1
		}
		return len(s)
	case strings.HasPrefix(s, "/*"):
		if i := strings.Index(s[2:], "*/"); i >= 0 {
			return i + 4
		}
		return len(s)
	case s[0] == '\'' || s[0] == '"' || s[0] == '`':
		for i := 1; i < len(s); i++ {
			if s[i] == '\\' && s[0] != '`' {
				i++
			} else if s[i] == s[0] {
				return i + 1
			}
		}
		return len(s)
	}
	return 0
}

// blank reports whether s has nothing but white space and comments.
func blank(s string) bool {
	for s != "" {
		if strings.HasPrefix(s, "--") || strings.HasPrefix(s, "/*") {
			s = s[skip(s):]
			continue
		}
		if !strings.ContainsRune(" \t\r\n", rune(s[0])) {
			return false
		}
		s = s[1:]
	}
	return true
}
