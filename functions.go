package flightd

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flightd/flightd/compute/agg"
	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/resolve"
)

// A Function is a function of the user's, written in Go: a *ScalarFunction or an
// *AggregateFunction. Register one with a Session, with an Engine, or in
// Options.Functions, where the queries that Open starts again find it. SQL and
// DataFrames then call it by its name, in batch and in streams.
//
// A session's functions hide those of the engine with the same name, and
// registering a name again replaces the function for queries that start later. The
// name of a built-in function cannot be taken. Types are those that docs/types.md
// lists; arguments are cast to them as SQL casts implicitly, and one that cannot be
// is DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE.
//
// An error that the function returns, a panic in it, and a result that is not as it
// was registered end the query with FAILED_EXECUTE_UDF (39000) at the place of the
// call. The rest of the engine goes on.
type Function interface {
	signature() (*expr.Function, error)
}

// ScalarFunction computes a value for each row, a column at a time.
type ScalarFunction struct {
	// Name is letters, digits and _; case does not matter.
	Name string
	// Params are the types of the arguments; Result is that of the result, which may
	// always be NULL.
	Params []arrow.DataType
	Result arrow.DataType
	// Variadic lets the last argument be there any number of times, also none.
	Variadic bool
	// TakesNull has Eval called for rows with NULL arguments too. Without it such rows
	// are left out of the arrays and have the result NULL.
	TakesNull bool
	// Nondeterministic tells that equal arguments may have different results: the
	// function is then called exactly where the query says, once for each row, even
	// over constants. A stream that calls one may differ when an epoch is repeated.
	Nondeterministic bool
	// Comment is what DESCRIBE FUNCTION prints.
	Comment string
	// Eval returns the results of rows rows in order, as an array of type Result. args
	// has an array of that many rows for each argument. They belong to the engine and
	// are valid during the call only: retain nothing of them, write nothing to them.
	// The result belongs to the engine, which copies and releases it; it may share
	// the arguments' buffers. Several goroutines call Eval at once.
	Eval func(args []arrow.Array, rows int) (arrow.Array, error)
}

// AggregateFunction computes a value for each group.
type AggregateFunction struct {
	// Name, Params, Result, Variadic and Comment are as in ScalarFunction.
	Name     string
	Params   []arrow.DataType
	Result   arrow.DataType
	Variadic bool
	// TakesNull has rows with NULL arguments taken in too; without it they are left
	// out, as built-in aggregates do.
	TakesNull bool
	Comment   string
	// New returns the state of a group that has seen nothing. Several goroutines call
	// it at once; a state is used by one at a time.
	New func() AggregateState
}

// AggregateState is the state of an aggregate for one group. The engine keeps it
// between batches, and in streams between epochs and over restarts, as the bytes of
// MarshalBinary, so all that counts must be in them; their form must stay readable as
// long as a checkpoint with them is. Rows are given in any number of pieces: Update
// with a and then b must be the same as with both, or as Update of another state
// with b and Merge of that. Rows come in the order of the input, and Merge's argument
// after what the state has seen.
type AggregateState interface {
	// Update takes in rows rows of the arguments. The arrays are valid during the call
	// only.
	Update(args []arrow.Array, rows int) error
	// Merge takes in the rows that after, a state of the same function, has seen.
	Merge(after AggregateState) error
	// Append appends the result to b, a builder of the Result type: one value or
	// NULL. The state stays as it is.
	Append(b array.Builder) error
	// MarshalBinary returns the state as bytes: equal states have equal bytes.
	MarshalBinary() ([]byte, error)
	// UnmarshalBinary makes a state that New returned the one of the bytes, which it
	// may keep.
	UnmarshalBinary(data []byte) error
}

// RegisterFunction makes f callable in all sessions of the engine.
func (e *Engine) RegisterFunction(f Function) error {
	sig, err := signatureOf(f)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.users[sig.Name] = sig
	return nil
}

// RegisterFunction makes f callable in the session, and in the queries that it
// starts. A named query that Open starts again finds functions of the engine only.
func (s *Session) RegisterFunction(f Function) error {
	sig, err := signatureOf(f)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users[sig.Name] = sig
	return nil
}

func signatureOf(f Function) (*expr.Function, error) {
	if f == nil {
		return nil, invalid("registering a function: there is none")
	}
	sig, err := f.signature()
	if err != nil {
		return nil, err
	}
	if resolve.Reserved(sig.Name) || cexpr.Has(sig.Name) || agg.Supported(sig.Name) {
		err := base.UserError("ROUTINE_ALREADY_EXISTS", "42723", "The function %s is built in: a function of yours cannot have its name.", sig.Name)
		err.Code = base.CodeConflict
		return nil, err.WithHint("choose another name; SHOW SYSTEM FUNCTIONS lists those that are taken")
	}
	return sig, nil
}

func (f *ScalarFunction) signature() (*expr.Function, error) {
	if f.Eval == nil {
		return nil, invalid("registering the function %s: Eval is nil", f.Name)
	}
	sig, err := signatureFrom(f.Name, f.Params, f.Result, f.Variadic)
	if err != nil {
		return nil, err
	}
	sig.Class, sig.Nondeterministic, sig.Comment = expr.Scalar, f.Nondeterministic, f.Comment
	sig.User = &cexpr.UserScalar{Eval: f.Eval, TakesNull: f.TakesNull}
	return sig, nil
}

func (f *AggregateFunction) signature() (*expr.Function, error) {
	if f.New == nil {
		return nil, invalid("registering the function %s: New is nil", f.Name)
	}
	if len(f.Params) == 0 {
		return nil, invalid("registering the function %s: an aggregate takes at least one argument", f.Name)
	}
	sig, err := signatureFrom(f.Name, f.Params, f.Result, f.Variadic)
	if err != nil {
		return nil, err
	}
	make := f.New
	sig.Class, sig.Comment = expr.Aggregating, f.Comment
	sig.User = &agg.UserAggregate{TakesNull: f.TakesNull, New: func() agg.UserState { return userState{make()} }}
	return sig, nil
}

// userState is an AggregateState as the accumulator sees it.
type userState struct{ AggregateState }

func (u userState) Merge(after agg.UserState) error {
	return u.AggregateState.Merge(after.(userState).AggregateState)
}

func signatureFrom(name string, params []arrow.DataType, result arrow.DataType, variadic bool) (*expr.Function, error) {
	wrong := func(format string, args ...any) (*expr.Function, error) {
		return nil, invalid("registering the function %q: %s", name, fmt.Sprintf(format, args...))
	}
	if !isFunctionName(name) {
		return wrong("a name is letters, digits and _, and does not begin with a digit")
	}
	sig := &expr.Function{Name: strings.ToLower(name), Rule: "user", Null: expr.Nullable, Min: len(params), Max: len(params)}
	for i, p := range params {
		t, err := exactType(p)
		if err != nil {
			return wrong("parameter %d: %v", i+1, err)
		}
		sig.Params = append(sig.Params, expr.Parameter{Wants: []expr.Want{{Type: t}}})
	}
	if variadic {
		if len(params) == 0 {
			return wrong("a variadic function has a last parameter")
		}
		sig.Min, sig.Max = len(params)-1, -1
	}
	t, err := exactType(result)
	if err != nil {
		return wrong("the result: %v", err)
	}
	sig.Returns = t
	return sig, nil
}

func isFunctionName(s string) bool {
	for i, r := range s {
		if !(r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || i > 0 && r >= '0' && r <= '9') {
			return false
		}
	}
	return s != ""
}

// exactType returns the SQL type whose arrays are of type dt.
func exactType(dt arrow.DataType) (*expr.Type, error) {
	if dt == nil {
		return nil, fmt.Errorf("the type is missing")
	}
	t, err := expr.FromArrow(dt)
	if err != nil {
		return nil, err
	}
	if !arrow.TypeEqual(dt, t.Arrow()) {
		return nil, fmt.Errorf("values of Arrow type %s come as %s: use that", dt, t.Arrow())
	}
	if t.Kind == expr.KindNull {
		return nil, fmt.Errorf("the type null has no values")
	}
	return t, nil
}
