package base

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// Code is the closed set of error classes that a caller may branch on.
type Code uint8

// The codes. One table in package flight maps them to gRPC.
const (
	CodeInternal        Code = iota // a bug of ours
	CodeInvalid                     // the caller's mistake
	CodeNotFound                    // no such thing
	CodeUnavailable                 // try again later
	CodeCorrupt                     // stored or received bytes are damaged
	CodeConflict                    // exists already, or is held by another
	CodeCanceled                    // the caller gave up
	CodeExhausted                   // a limit was reached
	CodeOutOfRange                  // it was there and is not kept any more, or is not there yet
	CodeUnauthenticated             // who calls is not known
	CodeDenied                      // who calls may not
)

var codeNames = [...]string{"Internal", "Invalid", "NotFound", "Unavailable", "Corrupt", "Conflict", "Canceled", "Exhausted", "OutOfRange", "Unauthenticated", "Denied"}

// String returns the code's name.
func (c Code) String() string {
	if int(c) < len(codeNames) {
		return codeNames[c]
	}
	return fmt.Sprintf("Code(%d)", uint8(c))
}

// Pos is a place in a SQL text. The zero Pos is "nowhere".
type Pos struct {
	// Start and End are byte offsets of the text, End exclusive.
	Start, End int
	// Line and Col are 1-based; Col counts characters.
	Line, Col int
}

// Valid reports whether p is a place.
func (p Pos) Valid() bool { return p.Line > 0 }

// Error is flightd's one error type.
type Error struct {
	Code Code
	// Condition is Spark's error condition, such as
	// UNRESOLVED_COLUMN.WITH_SUGGESTION; empty where Spark has none.
	Condition string
	SQLState  string
	Msg       string
	// Hint says what to do about it, in a sentence; may be empty.
	Hint string
	Pos  Pos
	// Query is the SQL text that Pos points into; empty if there is none.
	Query string
	cause error
}

// Error returns "[CONDITION] message SQLSTATE: …", without caret and hint.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Condition != "" {
		fmt.Fprintf(&b, "[%s] ", e.Condition)
	}
	b.WriteString(e.Msg)
	if e.cause != nil {
		if b.Len() > 0 {
			b.WriteString(": ")
		}
		b.WriteString(e.cause.Error())
	}
	if e.SQLState != "" {
		fmt.Fprintf(&b, " SQLSTATE: %s", e.SQLState)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// At returns e with a place, unless it has one already.
func (e *Error) At(p Pos) *Error {
	if !e.Pos.Valid() {
		e.Pos = p
	}
	return e
}

// WithHint returns e with a hint.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// Because returns e with a cause.
func (e *Error) Because(err error) *Error {
	e.cause = err
	return e
}

// Display returns the error as a person reads it: the message, then the line of
// the query with a caret under the place, then the hint.
func (e *Error) Display() string {
	var b strings.Builder
	b.WriteString(e.Error())
	if e.Pos.Valid() && e.Query != "" && e.Pos.Start <= len(e.Query) {
		start := strings.LastIndexByte(e.Query[:e.Pos.Start], '\n') + 1
		end := len(e.Query)
		if i := strings.IndexByte(e.Query[e.Pos.Start:], '\n'); i >= 0 {
			end = e.Pos.Start + i
		}
		prefix := fmt.Sprintf("line %d:%d: ", e.Pos.Line, e.Pos.Col)
		width := max(1, min(e.Pos.End, end)-e.Pos.Start)
		pad := strings.Map(func(r rune) rune {
			if r == '\t' {
				return '\t'
			}
			return ' '
		}, prefix+e.Query[start:e.Pos.Start])
		fmt.Fprintf(&b, "\n%s%s\n%s%s", prefix, e.Query[start:end], pad, strings.Repeat("^", width))
	}
	if e.Hint != "" {
		b.WriteString("\nhint: ")
		b.WriteString(e.Hint)
	}
	return b.String()
}

// Errorf returns an error without a condition.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Msg: fmt.Sprintf(format, args...)}
}

// UserError returns an error that a user made, with Spark's condition and
// SQLSTATE (either may be empty).
func UserError(condition, sqlState, format string, args ...any) *Error {
	return &Error{Code: CodeInvalid, Condition: condition, SQLState: sqlState, Msg: fmt.Sprintf(format, args...)}
}

// Wrap says in which step err happened ("reading epoch 7"). It keeps the code,
// condition, place and hint of err; nil stays nil.
func Wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), err)
}

// AsError finds the innermost *Error of err's chain that has a condition, else
// the outermost *Error, else it makes one with CodeInternal.
func AsError(err error) *Error {
	var first *Error
	for e := err; e != nil; e = errors.Unwrap(e) {
		if x, ok := e.(*Error); ok {
			if x.Condition != "" {
				return x
			}
			if first == nil {
				first = x
			}
		}
	}
	if first != nil {
		return first
	}
	return &Error{Code: CodeInternal, Msg: err.Error(), cause: nil}
}

// CodeOf returns the code of err's outermost *Error, or CodeInternal.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}

// DiskFull reports whether err is that a disk, or what a user may have of it, is full.
func DiskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
