package expr

import "github.com/flightd/flightd/plan/expr"

func temporalArithmetic(op string, c *expr.Call, env *Env) (func(f *frame) error, error) {
	return nil, nil
}
func negateCalendar(f *frame) error { return nil }
func parseCalendars(f *frame) error { return nil }
