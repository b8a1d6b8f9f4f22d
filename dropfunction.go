package flightd

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/resolve"
)

// dropFunction is DROP [TEMPORARY] FUNCTION: it takes back what RegisterFunction gave
// to the session (TEMPORARY) or to the engine. Queries that run keep the function that
// they began with. The rules about names are Spark's.
func (s *Session) dropFunction(st *logical.Drop) error {
	if st.Temporary {
		return s.dropTemporaryFunction(st)
	}
	name := strings.ToLower(last(st.Name))
	schema := st.Name[:len(st.Name)-1]
	if len(schema) > 0 && (strings.EqualFold(schema[0], "spark_catalog") || strings.EqualFold(schema[0], "system") && len(schema) > 1) {
		schema = schema[1:]
	}
	qualified := len(schema) > 0
	switch {
	case len(st.Name) > 3 || len(schema) > 1:
		return base.UserError("REQUIRES_SINGLE_PART_NAMESPACE", "42K05", "A name has one schema, but %s has several.", routineName(st.Name))
	case len(st.Name) == 3 && strings.EqualFold(st.Name[0], "system") && strings.EqualFold(schema[0], "builtin"):
		qualified = false
	case qualified:
		if err := noSchema(schema); err != nil {
			return err
		}
	}
	s.mu.Lock()
	own := s.users[name] != nil
	s.mu.Unlock()
	switch {
	case !qualified && resolve.Reserved(name):
		return builtIn(name)
	case !qualified && own:
		return base.UserError("EXPECT_PERSISTENT_FUNCTION_NOT_TEMP", "42809", "`%s` is a function of this session, and DROP FUNCTION expects one of the engine.", name).
			WithHint("DROP TEMPORARY FUNCTION %s", expr.QuoteIfNeeded(name))
	}
	s.eng.mu.Lock()
	defer s.eng.mu.Unlock()
	if s.eng.users[name] == nil {
		if !qualified {
			return noFunction("default", last(st.Name))
		}
		return noFunction(last(schema), last(st.Name))
	}
	delete(s.eng.users, name)
	return nil
}

// dropTemporaryFunction drops a function of the session.
func (s *Session) dropTemporaryFunction(st *logical.Drop) error {
	name := strings.ToLower(last(st.Name))
	switch of := strings.ToLower(strings.Join(st.Name[:len(st.Name)-1], ".")); of {
	case "", "session", "system.session":
	default:
		return base.UserError("INVALID_TEMP_OBJ_QUALIFIER", "42602",
			"The temporary function `%s` cannot be qualified with `%s`: only SESSION and SYSTEM.SESSION can stand before it.", name, of)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.users[name] != nil:
		delete(s.users, name)
		return nil
	case resolve.Reserved(name) && !st.IfExists:
		return builtIn(name)
	}
	return noFunction(last(st.Name))
}

// noFunction is the error of DROP without such a function; IF EXISTS forgives it.
func noFunction(name ...string) error {
	err := base.UserError("ROUTINE_NOT_FOUND", "42883", "The routine %s cannot be found.", routineName(name))
	err.Code = base.CodeNotFound
	return err.WithHint("SHOW USER FUNCTIONS lists those that can be dropped; IF EXISTS passes over a missing one")
}

func builtIn(name string) error {
	return base.UserError("FORBIDDEN_OPERATION", "42809", "The operation DROP is not allowed on the FUNCTION: `%s`.", name).
		WithHint("it is built in; only functions that a program registered can be dropped")
}

func routineName(parts []string) string {
	quoted := make([]string, len(parts))
	for i, p := range parts {
		quoted[i] = "`" + strings.ReplaceAll(p, "`", "``") + "`"
	}
	return strings.Join(quoted, ".")
}
