package expr

import "testing"

// Every row parses (newFunctionTable panics on one that does not), no name is
// taken twice, and every rule is a type, a result rule or the resolver's own.
func TestFunctionTable(t *testing.T) {
	seen := map[string]string{}
	for _, f := range Functions.All() {
		for _, n := range append([]string{f.Name}, f.Aliases...) {
			if other, ok := seen[n]; ok {
				t.Errorf("%q names %s and %s", n, other, f.Name)
			}
			seen[n] = f.Name
		}
		_, isType := typeNames[f.Rule]
		_, isRule := resultRules[f.Rule]
		if !isType && !isRule && f.Rule[0] != '@' {
			t.Errorf("%s: unknown rule %q", f.Name, f.Rule)
		}
	}
	if f := Functions.Lookup("UCASE"); f == nil || f.Name != "upper" {
		t.Errorf("UCASE is %v", f)
	}
}
