package compute

import (
	"reflect"

	"github.com/flightd/flightd/internal/invariants"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/state"
)

// keptTable returns the one table of a stateful operator.
func keptTable(env *Env, s *physical.State, schema state.Schema) (*state.Sharded, error) {
	return namedTable(env, s, state.DefaultName, schema)
}

// namedTable returns a table of a stateful operator, or why that cannot run.
func namedTable(env *Env, s *physical.State, name string, schema state.Schema) (*state.Sharded, error) {
	if s.Refused != nil {
		return nil, s.Refused
	}
	if env.Store == nil {
		return nil, invariants.AssertionFailedf("operator %d (%s) has no state store", s.Operator, s.Name)
	}
	table, err := env.Store.Table(state.ID{Operator: s.Operator, Name: name}, schema)
	if err != nil {
		return nil, err
	}
	// Keys of the epoch's own tables are looked up in the kept one by their hashes.
	if !reflect.DeepEqual(table.NewKeys(), state.NewKeys(schema.Keys, env.Seed)) {
		return nil, invariants.AssertionFailedf("operator %d (%s): hash seed %d is not that of the state store", s.Operator, s.Name, env.Seed)
	}
	env.Metrics.state(s.Operator)
	return table, nil
}
