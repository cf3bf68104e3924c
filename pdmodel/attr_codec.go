package pdmodel

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

func decodeAttr(data []byte, offset int64) (Attr, error) {
	a := Attr{Type: -1}
	err := eachField(data, offset, func(f field) error {
		switch {
		case f.is(1, protowire.BytesType):
			a.Name = string(f.data)
		case f.is(2, protowire.VarintType):
			a.Type = AttrType(min(f.value, math.MaxInt32))
		}
		return nil
	})
	if err != nil {
		return a, err
	}
	if !a.Type.valid() {
		return a, formatErrorf(offset, "attribute %q of unknown type %d", a.Name, a.Type)
	}
	v := attrValues{form: attrForms[a.Type]}
	err = eachField(data, offset, func(f field) error {
		switch {
		case f.is(1, protowire.BytesType), f.is(2, protowire.VarintType):
		case f.num != v.form.num:
			a.unknown = append(a.unknown, f.raw...)
		case !v.add(f):
			return formatErrorf(f.offset, "attribute %q is no %s", a.Name, a.Type)
		}
		return nil
	})
	a.Value = v.as(a.Type)
	return a, err
}

// attrValues are the elements of an attribute: numbers or byte strings.
type attrValues struct {
	form    attrForm
	numbers []uint64
	data    [][]byte
}

// add reports whether the field holds such elements.
func (v *attrValues) add(f field) bool {
	if v.form.wire == protowire.BytesType {
		v.data = append(v.data, f.data)
		return f.typ == protowire.BytesType
	}
	n, ok := f.numbers(v.form.wire)
	v.numbers = append(v.numbers, n...)
	return ok
}

func (v attrValues) as(t AttrType) any {
	switch t {
	case AttrInt, AttrBlock:
		return int32(v.number())
	case AttrLong:
		return int64(v.number())
	case AttrFloat:
		return math.Float32frombits(uint32(v.number()))
	case AttrFloat64:
		return math.Float64frombits(v.number())
	case AttrBool:
		return v.number() != 0
	case AttrString, AttrVar:
		return string(v.bytes())
	case AttrScalar:
		return v.bytes()
	case AttrInts, AttrBlocks:
		return convert(v.numbers, func(n uint64) int32 { return int32(n) })
	case AttrLongs:
		return convert(v.numbers, func(n uint64) int64 { return int64(n) })
	case AttrFloats:
		return convert(v.numbers, func(n uint64) float32 { return math.Float32frombits(uint32(n)) })
	case AttrFloat64s:
		return convert(v.numbers, math.Float64frombits)
	case AttrBools:
		return convert(v.numbers, func(n uint64) bool { return n != 0 })
	case AttrStrings, AttrVars:
		return convert(v.data, func(b []byte) string { return string(b) })
	default: // AttrScalars
		return v.data
	}
}

// number is the last one, as protobuf takes it; 0 if there is none.
func (v attrValues) number() uint64 {
	if len(v.numbers) == 0 {
		return 0
	}
	return v.numbers[len(v.numbers)-1]
}

func (v attrValues) bytes() []byte {
	if len(v.data) == 0 {
		return nil
	}
	return v.data[len(v.data)-1]
}

func convert[From, To any](from []From, f func(From) To) []To {
	to := make([]To, len(from))
	for i, v := range from {
		to[i] = f(v)
	}
	return to
}

func (a *Attr) encode() []byte {
	b := appendString(nil, 1, a.Name)
	b = appendInt(b, 2, int64(a.Type))
	num := attrForms[a.Type].num
	switch v := a.Value.(type) {
	case int32:
		b = appendInt(b, num, int64(v))
	case int64:
		b = appendInt(b, num, v)
	case float32:
		b = appendFloat(b, num, v)
	case float64:
		b = appendDouble(b, num, v)
	case bool:
		b = appendBool(b, num, &v)
	case string:
		b = appendString(b, num, v)
	case []byte:
		b = appendBytes(b, num, v)
	case []int32:
		b = appendEach(b, num, v, func(b []byte, num protowire.Number, v int32) []byte { return appendInt(b, num, int64(v)) })
	case []int64:
		b = appendEach(b, num, v, appendInt)
	case []float32:
		b = appendEach(b, num, v, appendFloat)
	case []float64:
		b = appendEach(b, num, v, appendDouble)
	case []bool:
		b = appendEach(b, num, v, func(b []byte, num protowire.Number, v bool) []byte { return appendBool(b, num, &v) })
	case []string:
		b = appendEach(b, num, v, appendString)
	case [][]byte:
		b = appendEach(b, num, v, appendBytes)
	default:
		panic(fmt.Sprintf("pdmodel: attribute %s is a %T", a.Name, v))
	}
	return append(b, a.unknown...)
}

func appendEach[T any](b []byte, num protowire.Number, values []T, add func([]byte, protowire.Number, T) []byte) []byte {
	for _, v := range values {
		b = add(b, num, v)
	}
	return b
}

func appendFloat(b []byte, num protowire.Number, v float32) []byte {
	return protowire.AppendFixed32(protowire.AppendTag(b, num, protowire.Fixed32Type), math.Float32bits(v))
}

func appendDouble(b []byte, num protowire.Number, v float64) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(b, num, protowire.Fixed64Type), math.Float64bits(v))
}
