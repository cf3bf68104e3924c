// Package pdmodel reads and writes Paddle's exported models: the program
// (.pdmodel), its parameters (.pdiparams) and, through package pdparams, the
// list of their names (.pdiparams.info).
//
// A .pdmodel file is the protobuf message ProgramDesc of
// paddle/fluid/framework/framework.proto: blocks of variables and operators.
// All of it is read and written back, byte for byte; what of it can be
// translated into a graph is said at Program.Graph. A .pdiparams file is what
// the operator save_combine writes: the tensors of the program's persistable
// variables, one after another, sorted by name.
//
// Not covered: programs of Paddle 3's PIR (inference.json), quantised
// operators, control flow, layouts other than NCHW, operands known only at run
// time where an attribute is usual.
package pdmodel

import (
	"fmt"
	"slices"
	"strings"
)

// A FormatError reports a file that is not what it should be.
type FormatError struct {
	Offset int64 // in bytes from the file's beginning
	Msg    string
}

// Error gives the offset and what is wrong there.
func (e *FormatError) Error() string { return fmt.Sprintf("pdmodel: offset %d: %s", e.Offset, e.Msg) }

func formatErrorf(offset int64, format string, args ...any) error {
	return &FormatError{Offset: offset, Msg: fmt.Sprintf(format, args...)}
}

// An UnsupportedError reports a valid model that this package cannot
// translate, or a graph that it cannot write.
type UnsupportedError struct {
	Msg string          // what, where it is not a matter of single operators
	Ops []UnsupportedOp // all of them, in order
}

// An UnsupportedOp is an operator, or a use of it, that is missing here.
type UnsupportedOp struct {
	Block, Index int    // where it stands in the program
	Type         string // such as "while"
	Reason       string // empty if no use of the operator is supported
}

// Error names each kind of operator once, with how many there are and where
// the first stands.
func (e *UnsupportedError) Error() string {
	if len(e.Ops) == 0 {
		return "pdmodel: " + e.Msg
	}
	type kind struct{ typ, reason string }
	var kinds []kind
	first, count := map[kind]UnsupportedOp{}, map[kind]int{}
	for _, op := range e.Ops {
		k := kind{op.Type, op.Reason}
		if count[k]++; count[k] == 1 {
			kinds, first[k] = append(kinds, k), op
		}
	}
	parts := make([]string, len(kinds))
	for i, k := range kinds {
		parts[i] = first[k].String()
		if n := count[k]; n > 1 {
			parts[i] += fmt.Sprintf(" and %d more", n-1)
		}
	}
	slices.Sort(parts)
	return "pdmodel: unsupported operators: " + strings.Join(parts, "; ")
}

// String is "while (block 0, operator 57)" and the reason, if there is one.
func (o UnsupportedOp) String() string {
	s := fmt.Sprintf("%s (block %d, operator %d)", o.Type, o.Block, o.Index)
	if o.Reason != "" {
		s += ": " + o.Reason
	}
	return s
}

// A PairError reports parameters that do not belong to a program.
type PairError struct {
	Index  int    // of the tensor in the file, from 0
	Total  int    // how many tensors the program has
	Tensor string // its variable; empty behind the last
	Want   string // by the program: a type and shape, or the end of the file
	Got    string // in the file
}

// Error says which tensor, what was expected and what was found.
func (e *PairError) Error() string {
	where := fmt.Sprintf("behind the last of %d tensors", e.Total)
	if e.Tensor != "" {
		where = fmt.Sprintf("tensor %d of %d, %s", e.Index+1, e.Total, e.Tensor)
	}
	return fmt.Sprintf("pdmodel: the parameters do not belong to this program: %s: want %s, the file has %s",
		where, e.Want, e.Got)
}
