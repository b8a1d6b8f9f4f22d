package flight

// like matches a SQL LIKE pattern in which % is any text, _ any character and \
// takes the meaning off the next one. Case matters. Without a pattern
// everything matches.
func like(pattern string, given bool, s string) bool {
	return !given || likeRunes([]rune(pattern), []rune(s))
}

// likeRunes goes back to the last % where the text and the pattern part: linear
// in their product, however many % there are.
func likeRunes(p, s []rune) bool {
	i, j := 0, 0
	backP, backS := -1, 0
	for j < len(s) {
		switch {
		case i < len(p) && p[i] == '%':
			backP, backS = i, j
			i++
			continue
		case i < len(p) && p[i] == '_':
			i++
			j++
			continue
		case i+1 < len(p) && p[i] == '\\' && p[i+1] == s[j]:
			i += 2
			j++
			continue
		case i < len(p) && p[i] != '\\' && p[i] == s[j]:
			i++
			j++
			continue
		}
		if backP < 0 {
			return false
		}
		backS++
		i, j = backP+1, backS
	}
	for i < len(p) && p[i] == '%' {
		i++
	}
	return i == len(p)
}
