package flightd

import (
	"cmp"
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/logical"
)

// Role says what a session may do. The zero Role is the embedder's own: Admin.
type Role uint8

// The roles, each of which may do what those below it in the list may.
const (
	// Admin may do everything, with the queries of others too.
	Admin Role = iota
	// Writer may write and make tables, views and streaming queries, and end its
	// own queries.
	Writer
	// Reader may read, ask for plans and set what concerns its session alone.
	Reader
)

// Roles are the names of the roles.
func Roles() []string { return []string{"admin", "writer", "reader"} }

// String returns the role's name.
func (r Role) String() string {
	if int(r) < len(Roles()) {
		return Roles()[r]
	}
	return "nobody"
}

// ParseRole returns the role of a name, in any case.
func ParseRole(name string) (Role, error) {
	for i, n := range Roles() {
		if strings.EqualFold(n, name) {
			return Role(i), nil
		}
	}
	return Reader, base.Errorf(base.CodeInvalid, "there is no role %q", name).WithHint("the roles are %s", strings.Join(Roles(), ", "))
}

// May returns an error unless the role includes need; what says what it is needed
// for, as the subject of a sentence.
func (r Role) May(need Role, what string) error {
	if r <= need && r <= Reader {
		return nil
	}
	return denied("%s needs the role %s; this user has the role %s.", what, need, r).
		WithHint("an administrator gives a role with: flightd user add NAME --role %s --replace", need)
}

// denied is the error of what a user may not do.
func denied(format string, args ...any) *base.Error {
	e := base.UserError("INSUFFICIENT_PERMISSIONS", "42501", format, args...)
	e.Code = base.CodeDenied
	return e
}

// A User is on whose behalf a session acts. The zero User is the embedder.
type User struct {
	// Name is what queries that the session starts belong to.
	Name string
	Role Role
}

// NewSessionFor returns a session with the rights of a user.
func (e *Engine) NewSessionFor(u User) *Session {
	s := e.NewSession()
	s.user = u
	return s
}

// need returns the role that a statement needs and what it is called. A kind of
// statement that is not listed is for administrators.
func need(stmt logical.Statement) (Role, string) {
	switch st := stmt.(type) {
	case *logical.Query:
		return Reader, "SELECT"
	case *logical.Refused: // nobody may, and says why
		return Reader, "this statement"
	case *logical.Show:
		return Reader, "SHOW"
	case *logical.Describe:
		return Reader, "DESCRIBE"
	case *logical.Use:
		return Reader, "USE"
	case *logical.Set:
		return Reader, "SET"
	case *logical.Subscribe:
		return Reader, "SUBSCRIBE"
	case *logical.Immediate: // and what the statement in it needs
		return Reader, "EXECUTE IMMEDIATE"
	case *logical.Explain:
		if st.Inner != nil && strings.EqualFold(st.Mode, "ANALYZE") { // it runs
			return need(st.Inner)
		}
		return Reader, "EXPLAIN"
	case *logical.CreateView:
		return Writer, "CREATE VIEW"
	case *logical.CreateTable:
		return Writer, "CREATE TABLE"
	case *logical.CreateQuery:
		return Writer, "CREATE STREAMING QUERY"
	case *logical.Insert:
		return Writer, "INSERT"
	case *logical.Drop:
		// A function of the engine is everybody's, and only a program can bring it back.
		if st.What == "FUNCTION" && !st.Temporary {
			return Admin, "DROP FUNCTION"
		}
		return Writer, "DROP " + st.What
	case *logical.StopQuery:
		return Writer, "STOP QUERY"
	}
	return Admin, "this statement"
}

// allow refuses a statement that the session's user may not run.
func (s *Session) allow(stmt logical.Statement) error {
	role, what := need(stmt)
	if err := s.user.Role.May(role, what); err != nil {
		return base.AsError(err).At(stmt.Pos())
	}
	switch st := stmt.(type) {
	case *logical.StopQuery:
		return s.owns(stmt, st.Name)
	case *logical.Drop:
		// The table of CREATE STREAMING TABLE is its query's.
		if st.What == "QUERY" || st.What == "TABLE" {
			return s.owns(stmt, last(st.Name))
		}
	case *logical.CreateTable:
		if st.Replace {
			return s.owns(stmt, last(st.Name))
		}
	case *logical.CreateQuery:
		return s.owns(stmt, st.Name)
	}
	return nil
}

// maySet refuses a setting that bounds what a session takes of the engine, which
// is an administrator's to change.
func (s *Session) maySet(key string) error {
	if !strings.EqualFold(key, "flightd.memoryLimit") {
		return nil
	}
	return s.user.Role.May(Admin, "SET "+key)
}

// owns refuses a statement about another user's query, unless it is an
// administrator's. There need not be such a query.
func (s *Session) owns(stmt logical.Statement, query string) error {
	if s.user.Role == Admin {
		return nil
	}
	s.eng.mu.Lock()
	def, ok := s.eng.store.content.Queries[strings.ToLower(query)]
	s.eng.mu.Unlock()
	if !ok && s.eng.Query(query) == nil || ok && def.Owner == s.user.Name && def.Owner != "" {
		return nil
	}
	return denied("The query %s belongs to %s.", query, cmp.Or(def.Owner, "the server")).At(stmt.Pos()).
		WithHint("its owner or an administrator may end or replace it")
}
