// Package pickle runs the pickles that frameworks write as checkpoints, and
// writes such pickles.
//
// Python runs whatever a pickle asks for; this package runs nothing. A
// [Machine] understands the opcodes that the picklers of protocols 2 to 5 emit
// and the classes that its [Rules] name, and refuses every other class by its
// name ([ForbiddenError]). What Python would call becomes a value of this
// package, or of the package whose rules they are.
//
// Source: Python's pickletools (the opcodes), Modules/_pickle.c (the pickler).
package pickle

// Rules say what a machine may meet beside plain Python values.
type Rules struct {
	// Writer is who writes such files, for errors: "Paddle".
	Writer string
	// Globals are the classes and functions that a pickle may name, beside
	// Python's own containers. What they do is what calling them would return;
	// a nil one is only ever an argument.
	Globals map[string]Call
	// Instances lets opcode NEWOBJ make instances, by a call of the class, and a
	// dict have attributes, which are dropped.
	Instances bool
	// Persistent returns what a persistent id stands for. nil refuses them.
	Persistent func(m *Machine, id any) any
}

// A Call is what a machine does in place of a call.
type Call func(m *Machine, args Tuple) any

// Stateful is a value that opcode BUILD gives a state.
type Stateful interface {
	SetState(m *Machine, state any)
}

// Described is a value with a name for errors.
type Described interface {
	Kind() string
}
