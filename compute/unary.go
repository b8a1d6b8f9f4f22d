package compute

import "errors"

// unary is an operator over one input.
type unary struct{ input Operator }

// Close closes the input.
func (u unary) Close() error { return Close(u.input) }

func closeAll(ops ...Operator) error {
	var errs []error
	for _, op := range ops {
		errs = append(errs, Close(op))
	}
	return errors.Join(errs...)
}
