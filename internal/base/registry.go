package base

import "strings"

// FindNamed returns the item of items whose name is name, ignoring case, and
// otherwise a NotFound error that lists or suggests names. kind is the noun of
// the message ("source", "sink").
func FindNamed[T any](kind, name string, items []T, nameOf func(T) string) (T, error) {
	names := make([]string, len(items))
	for i, it := range items {
		names[i] = nameOf(it)
		if strings.EqualFold(names[i], name) {
			return it, nil
		}
	}
	var zero T
	err := UserError("DATA_SOURCE_NOT_FOUND", "42K02", "There is no %s named %q.", kind, name)
	err.Code = CodeNotFound
	if s := Nearest(name, names); s != "" {
		return zero, err.WithHint("did you mean %s?", s)
	}
	return zero, err.WithHint("there are %s", strings.Join(names, ", "))
}
