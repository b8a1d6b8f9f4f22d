package expr

// A Place is where a parameter stands in a statement that is analysed before the
// parameter has a value. The literal NULL that stands for it carries its Place, and
// what would cast that literal tells the Place the type that is wanted there: so the
// rules by which operands meet are the only source of the types of parameters.
type Place struct {
	// Type is the type of the place; nil as long as nothing has asked for one.
	Type *Type
	Use  Use
}

// Use says what becomes of a value in its place.
type Use uint8

// The uses, the most binding last. An Operand meets others half-way, so a value
// keeps its own type. An Argument is what a function takes. What is Stored becomes a
// value of just that type.
const (
	Unused Use = iota
	Operand
	Argument
	Stored
)

// Ask tells the place the type that is wanted there. The first that asks is heard,
// but what stores the value is heard above all others.
func (p *Place) Ask(t *Type, u Use) {
	if t == nil || t.Kind == KindNull || p.Type != nil && (u != Stored || p.Use == Stored) {
		return
	}
	p.Type, p.Use = t, u
}
