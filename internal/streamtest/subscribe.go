package streamtest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/cockroachdb/datadriven"
)

// subscriber is a SUBSCRIBE statement of a script: each time it is asked it goes on
// with the token that it had last, also after a crash.
type subscriber struct {
	text  string
	token string
}

// from is where a subscription began: a token says it later.
var from = regexp.MustCompile(`(?i)\bFROM EPOCH \d+`)

// subscribe begins a subscription, or goes on with it, and prints the rows that it
// is told up to the last epoch that is done.
func (s *script) subscribe(ctx context.Context, d *datadriven.TestData) (string, error) {
	name := arg(d, "name", "s")
	if d.Input != "" {
		s.subscribers[name] = &subscriber{text: strings.TrimSpace(d.Input)}
	}
	sub := s.subscribers[name]
	if sub == nil || s.query == nil {
		return "no query runs, or no such subscription\n", nil
	}
	_, last, ok := s.query.FeedRange()
	if !ok {
		return "no epoch yet\n", nil
	}
	text := sub.text
	if sub.token != "" {
		text = from.ReplaceAllString(text, "") + " RESUME '" + sub.token + "'"
	}
	r, err := s.session.Execute(ctx, text+fmt.Sprintf(" UP TO EPOCH %d", last))
	if err != nil {
		return s.show(err), nil
	}
	defer r.Close()
	var b strings.Builder
	for {
		rec, err := r.Next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			b.WriteString(s.show(err))
			return b.String(), nil
		}
		var note struct{ Resume string }
		if err := json.Unmarshal(r.Annotation()(0, rec.NumRows()), &note); err != nil {
			return "", err
		}
		sub.token = note.Resume
		for _, line := range rowLines(rec) {
			b.WriteString(line + "\n")
		}
		rec.Release()
	}
	if b.Len() == 0 {
		return "nothing new\n", nil
	}
	return b.String(), nil
}
