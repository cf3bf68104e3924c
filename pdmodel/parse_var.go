package pdmodel

import (
	"google.golang.org/protobuf/encoding/protowire"
)

// maxDims bounds a shape; Paddle itself has at most 9 axes, and one more where
// a variable passes a shape on.
const maxDims = 64

func decodeVar(message field) (*Var, error) {
	v := &Var{Kind: -1}
	err := eachField(message.data, message.offset, func(f field) error {
		switch {
		case f.is(1, protowire.BytesType):
			v.Name = string(f.data)
		case f.is(2, protowire.BytesType):
			return eachField(f.data, f.offset, v.kind)
		case f.is(3, protowire.VarintType):
			v.Persistable = new(f.value != 0)
		case f.is(4, protowire.VarintType):
			v.NeedCheckFeed = new(f.value != 0)
		case f.is(5, protowire.VarintType):
			v.IsParameter = new(f.value != 0)
		case f.is(6, protowire.VarintType):
			v.StopGradient = new(f.value != 0)
		default:
			v.unknown = append(v.unknown, f.raw...)
		}
		return nil
	})
	if err == nil && (v.Name == "" || v.Kind < 0) {
		err = formatErrorf(message.offset, "a variable without a name or type")
	}
	return v, err
}

// kind reads a field of message VarType.
func (v *Var) kind(f field) error {
	switch {
	case f.is(1, protowire.VarintType):
		v.Kind = enum(f)
	case f.is(3, protowire.BytesType):
		v.Tensor = &TensorDesc{Type: -1}
		return eachField(f.data, f.offset, v.Tensor.level)
	default:
		v.kindUnknown = append(v.kindUnknown, f.raw...)
	}
	return nil
}

// level reads a field of message LoDTensorDesc.
func (t *TensorDesc) level(f field) error {
	switch {
	case f.is(1, protowire.BytesType):
		return eachField(f.data, f.offset, t.field)
	case f.is(2, protowire.VarintType):
		t.LoDLevel = new(int32(f.value))
	default:
		t.levelUnknown = append(t.levelUnknown, f.raw...)
	}
	return nil
}

// field reads a field of message TensorDesc, which also heads each tensor of a
// .pdiparams file.
func (t *TensorDesc) field(f field) error {
	switch {
	case f.is(1, protowire.VarintType):
		t.Type = enum(f)
	case f.num == 2:
		dims, ok := f.numbers(protowire.VarintType)
		if !ok {
			return formatErrorf(f.offset, "a shape that is no list of integers")
		}
		if len(t.Dims)+len(dims) > maxDims {
			return formatErrorf(f.offset, "a shape of more than %d numbers", maxDims)
		}
		for _, d := range dims {
			t.Dims = append(t.Dims, int64(d))
		}
	default:
		t.unknown = append(t.unknown, f.raw...)
	}
	return nil
}

func enum(f field) VarType { return VarType(int32(f.value)) }
