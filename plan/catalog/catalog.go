// Package catalog describes what names mean to the resolver: tables, views and
// settings. Data only; the root keeps the tables themselves.
package catalog

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// Table is a relation that the catalog knows by name.
type Table struct {
	// Name is the table's name; tables have one part.
	Name   string
	Schema expr.Schema
	// Hidden are columns behind those of Schema that are there for who names them, and
	// not part of a star.
	Hidden expr.Schema
	// Format and Options are those of CREATE TABLE … USING; Format is "table"
	// for a table under the data folder and "result" for a query's result.
	Format  string
	Options base.Options
	// Streamable and Scannable say whether FROM STREAM t and FROM t work.
	Streamable, Scannable bool
	// Comment is the COMMENT of CREATE TABLE, or empty.
	Comment string
	// Handle is the root's own; the resolver passes it on.
	Handle any
}

// View is a named query. Plan is its unresolved logical.Node, which this
// package cannot name.
type View struct {
	Name    string
	Columns []string
	Text    string
	Plan    any
}

// Catalog finds tables and views. Names are compared without regard to case.
type Catalog interface {
	// Table returns the table of a name, or nil.
	Table(name []string) (*Table, error)
	// View returns the view of a name, or nil; views go before tables.
	View(name []string) (*View, error)
	// Names lists every table and view, for suggestions.
	Names() []string
	// Source opens a connector that is named without a table.
	Source(format string, opts base.Options, schema expr.Schema, stream bool) (*Table, error)
}

// Functions is what a Catalog also is that knows functions of users.
type Functions interface {
	// Functions are they, by lower-case name. The caller must not change the map.
	Functions() map[string]*expr.Function
}

// Conf is the settings of a session: the keys that were set, by lower-cased
// name.
type Conf map[string]string

// Lookup returns the value of key, or def.
func (c Conf) Lookup(key, def string) string {
	if v, ok := c[strings.ToLower(key)]; ok {
		return v
	}
	return def
}

// Bool returns the value of key as true or false, or def.
func (c Conf) Bool(key string, def bool) bool {
	switch strings.ToLower(c.Lookup(key, "")) {
	case "true":
		return true
	case "false":
		return false
	}
	return def
}

// ANSI reports spark.sql.ansi.enabled.
func (c Conf) ANSI() bool { return c.Bool("spark.sql.ansi.enabled", true) }

// Zone returns spark.sql.session.timeZone.
func (c Conf) Zone() string { return c.Lookup("spark.sql.session.timeZone", "UTC") }
