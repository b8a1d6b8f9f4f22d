package javaregexp

import (
	"errors"
	"fmt"
)

// class reads […]: ranges, sets, classes within it, and && for what two have in
// common.
func (t *translation) class() (set, error) {
	if t.depth++; t.depth > maxNesting {
		return nil, fmt.Errorf("classes are nested more than %d deep", maxNesting)
	}
	defer func() { t.depth-- }()
	t.at++
	not := false
	if t.is('^') {
		t.at++
		not = true
	}
	all, err := t.union(true)
	if err != nil {
		return nil, err
	}
	for t.has("&&") {
		for t.is('&') {
			t.at++
		}
		if t.is(']') {
			break
		}
		right, err := t.union(false)
		if err != nil {
			return nil, err
		}
		all = all.and(right)
	}
	if !t.is(']') {
		return nil, errors.New("a class is not closed")
	}
	t.at++
	if not {
		all = all.not()
	}
	return all, nil
}

// union reads the members of a class up to && or its end. A first ] is a member.
func (t *translation) union(first bool) (set, error) {
	var all set
	for ; t.more(); first = false {
		switch {
		case t.is(']') && !first, t.has("&&"):
			return all, nil
		case t.is('['):
			inner, err := t.class()
			if err != nil {
				return nil, err
			}
			all = append(all, inner...)
			continue
		case t.comments && t.skipComment():
			continue
		}
		s, err := t.member()
		if err != nil {
			return nil, err
		}
		all = append(all, t.cased(s)...)
		all = all.tidy()
	}
	return nil, errors.New("a class is not closed")
}

// member reads a set, a code point or a range of them.
func (t *translation) member() (set, error) {
	from, s, err := t.classRune()
	if err != nil || s != nil {
		return s, err
	}
	if !t.is('-') || t.at+1 < len(t.src) && (t.src[t.at+1] == ']' || t.src[t.at+1] == '[') {
		return single(from), nil
	}
	if t.at+1 == len(t.src) {
		return nil, errors.New("a class is not closed")
	}
	if t.src[t.at+1] == '&' && t.at+2 < len(t.src) && t.src[t.at+2] == '&' {
		return single(from), nil
	}
	t.at++
	to, s, err := t.classRune()
	switch {
	case err != nil:
		return nil, err
	case s != nil, to < from:
		return nil, errors.New("a range in a class goes backwards")
	}
	return set{{from, to}}, nil
}

func (t *translation) classRune() (rune, set, error) {
	if t.is('\\') {
		s, one, err := t.escapedSet()
		return one, s, err
	}
	r := t.src[t.at]
	t.at++
	return r, nil, nil
}
