package pdmodel

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// An AttrType says what kind of value an attribute has.
type AttrType int32

// The types of framework.proto's AttrType, and what an Attr's Value then is.
const (
	AttrInt      AttrType = iota // int32
	AttrFloat                    // float32
	AttrString                   // string
	AttrInts                     // []int32
	AttrFloats                   // []float32
	AttrStrings                  // []string
	AttrBool                     // bool
	AttrBools                    // []bool
	AttrBlock                    // int32, a block's index
	AttrLong                     // int64
	AttrBlocks                   // []int32
	AttrLongs                    // []int64
	AttrFloat64s                 // []float64
	AttrVar                      // string, a variable's name
	AttrVars                     // []string
	AttrFloat64                  // float64
	AttrScalar                   // []byte, a message that is not looked into
	AttrScalars                  // [][]byte
)

// An attrForm is how one type of attribute stands in the file.
type attrForm struct {
	name string
	num  protowire.Number // of the field that holds the value
	wire protowire.Type   // of each element
}

var attrForms = [...]attrForm{
	AttrInt:      {"INT", 3, protowire.VarintType},
	AttrFloat:    {"FLOAT", 4, protowire.Fixed32Type},
	AttrString:   {"STRING", 5, protowire.BytesType},
	AttrInts:     {"INTS", 6, protowire.VarintType},
	AttrFloats:   {"FLOATS", 7, protowire.Fixed32Type},
	AttrStrings:  {"STRINGS", 8, protowire.BytesType},
	AttrBool:     {"BOOLEAN", 10, protowire.VarintType},
	AttrBools:    {"BOOLEANS", 11, protowire.VarintType},
	AttrBlock:    {"BLOCK", 12, protowire.VarintType},
	AttrLong:     {"LONG", 13, protowire.VarintType},
	AttrBlocks:   {"BLOCKS", 14, protowire.VarintType},
	AttrLongs:    {"LONGS", 15, protowire.VarintType},
	AttrFloat64s: {"FLOAT64S", 16, protowire.Fixed64Type},
	AttrVar:      {"VAR", 17, protowire.BytesType},
	AttrVars:     {"VARS", 18, protowire.BytesType},
	AttrFloat64:  {"FLOAT64", 19, protowire.Fixed64Type},
	AttrScalar:   {"SCALAR", 20, protowire.BytesType},
	AttrScalars:  {"SCALARS", 21, protowire.BytesType},
}

// String is the type's name in framework.proto.
func (t AttrType) String() string {
	if t.valid() {
		return attrForms[t].name
	}
	return fmt.Sprintf("attribute type %d", int32(t))
}

func (t AttrType) valid() bool { return t >= 0 && int(t) < len(attrForms) }

// An Attr is an attribute of an operator.
type Attr struct {
	Name  string
	Type  AttrType
	Value any // of the Go type that the AttrType names

	unknown []byte
}
