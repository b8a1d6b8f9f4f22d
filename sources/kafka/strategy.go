package kafka

import (
	"regexp"
	"slices"
	"strings"

	"github.com/flightd/flightd/internal/base"
)

// strategy says which partitions are read: exactly one of the three is set.
type strategy struct {
	topics  []string
	assign  []partition
	pattern *regexp.Regexp
	text    string
}

func parseStrategy(o base.Options) (strategy, error) {
	var s strategy
	var given []string
	for _, name := range []string{"subscribe", "subscribePattern", "assign"} {
		v, ok := o.Lookup(name)
		if !ok {
			continue
		}
		given = append(given, name)
		v = strings.TrimSpace(v)
		switch name {
		case "subscribe":
			for _, t := range strings.Split(v, ",") {
				if t = strings.TrimSpace(t); t != "" {
					s.topics = append(s.topics, t)
				}
			}
			if len(s.topics) == 0 {
				return s, base.UserError("", "", "source kafka: No topics to subscribe to as specified value for option 'subscribe' is %q.", v)
			}
			s.text = "Subscribe[" + strings.Join(s.topics, ", ") + "]"
			slices.Sort(s.topics)
			s.topics = slices.Compact(s.topics)
		case "subscribePattern":
			if v == "" {
				return s, base.UserError("", "", "source kafka: Pattern to subscribe is empty as specified value for option 'subscribePattern' is %q.", v)
			}
			re, err := regexp.Compile(`^(?:` + v + `)$`)
			if err != nil {
				return s, base.UserError("", "", "source kafka: option subscribePattern: %q is not a regular expression", v).Because(err).
					WithHint("look-around and back references are not supported")
			}
			s.pattern, s.text = re, "SubscribePattern["+v+"]"
		case "assign":
			ps, err := parseAssign(v)
			if err != nil {
				return s, base.UserError("", "", "source kafka: option assign: %q is not JSON such as {\"topicA\":[0,1]}: %v", v, err)
			}
			s.assign, s.text = ps, "Assign["+texts(ps)+"]"
		}
	}
	switch len(given) {
	case 1:
		return s, nil
	case 0:
		return s, base.UserError("", "", "source kafka: One of the following options must be specified for Kafka source: subscribe, subscribePattern, assign.").
			WithHint("'subscribe' = 'topic1,topic2'")
	}
	return s, base.UserError("", "", "source kafka: Only one of the following options can be specified for Kafka source: subscribe, subscribePattern, assign; here are %s.", strings.Join(given, " and "))
}

// names returns the topics to ask about; nil means all.
func (s *strategy) names() []string {
	switch {
	case s.pattern != nil:
		return nil
	case s.topics != nil:
		return s.topics
	}
	var out []string
	for _, p := range s.assign {
		out = append(out, p.topic)
	}
	return slices.Compact(out)
}

// pick returns the partitions of the cluster that are read, in order.
func (s *strategy) pick(c *cluster) []partition {
	var out []partition
	for p := range c.leaders {
		switch {
		case s.pattern != nil:
			if !c.internal[p.topic] && s.pattern.MatchString(p.topic) {
				out = append(out, p)
			}
		case s.topics != nil:
			out = append(out, p)
		case slices.Contains(s.assign, p):
			out = append(out, p)
		}
	}
	slices.SortFunc(out, comparePartitions)
	return out
}

// missing returns what a new query asks for by name and is not there.
func (s *strategy) missing(c *cluster) string {
	for _, t := range s.topics {
		if _, ok := c.leaders[partition{t, 0}]; !ok {
			return "topic " + t
		}
	}
	for _, p := range s.assign {
		if _, ok := c.leaders[p]; !ok {
			return "partition " + p.String()
		}
	}
	return ""
}
