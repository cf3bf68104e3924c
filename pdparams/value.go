package pdparams

import "github.com/pptsn/pptsn/pickle"

// The values of a checkpoint beside its tensors, as Go values:
//
//	None      nil
//	bool      bool
//	int       int64, or *big.Int beyond it
//	float     float64
//	complex   complex128
//	str       string
//	bytes     []byte (and bytearray)
//	list      []any
//	tuple     Tuple
//	set       Set (and frozenset)
//	dict      *Dict (and OrderedDict)
//	array     Ref: the name of a tensor
//
// A numpy scalar becomes a plain bool, int, float or complex number.

// A Ref stands where a tensor stands in a nested value; it is the name by
// which [File.Tensor] knows it.
type Ref string

// A Tuple is a Python tuple.
type Tuple = pickle.Tuple

// A Set is a Python set or frozenset, in the order of the file.
type Set []any

// A Dict is a Python dict: it keeps the order in which keys came. The zero
// value is empty and ready to use. Keys are strings, int64, float64, bool or
// nil; a str key of the file is a Go string.
type Dict = pickle.Dict
