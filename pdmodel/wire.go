package pdmodel

import (
	"google.golang.org/protobuf/encoding/protowire"
)

// A field is one field of a protobuf message.
type field struct {
	num    protowire.Number
	typ    protowire.Type
	value  uint64 // of a varint, fixed32 or fixed64 field
	data   []byte // of a length-delimited field
	raw    []byte // tag and value as they stand in the file
	offset int64  // of data, or of the field if it is not length-delimited
}

// eachField calls visit for the fields of a message that begins at offset.
func eachField(data []byte, offset int64, visit func(field) error) error {
	for pos := 0; pos < len(data); {
		num, typ, tag := protowire.ConsumeTag(data[pos:])
		if tag < 0 {
			return formatErrorf(offset+int64(pos), "no protobuf field begins here: %v", protowire.ParseError(tag))
		}
		n := protowire.ConsumeFieldValue(num, typ, data[pos+tag:])
		if n < 0 {
			return formatErrorf(offset+int64(pos), "protobuf field %d: %v", num, protowire.ParseError(n))
		}
		f := field{num: num, typ: typ, raw: data[pos : pos+tag+n], offset: offset + int64(pos)}
		switch value := data[pos+tag:]; typ {
		case protowire.VarintType:
			f.value, _ = protowire.ConsumeVarint(value)
		case protowire.Fixed32Type:
			v, _ := protowire.ConsumeFixed32(value)
			f.value = uint64(v)
		case protowire.Fixed64Type:
			f.value, _ = protowire.ConsumeFixed64(value)
		case protowire.BytesType:
			f.data, _ = protowire.ConsumeBytes(value)
			f.offset += int64(tag + n - len(f.data))
		}
		if err := visit(f); err != nil {
			return err
		}
		pos += tag + n
	}
	return nil
}

// is reports whether the field has that number and wire type.
func (f field) is(num protowire.Number, typ protowire.Type) bool { return f.num == num && f.typ == typ }

// numbers returns the values of a repeated number whose elements have that
// wire type, packed or not; ok is false if the field holds something else.
func (f field) numbers(element protowire.Type) (values []uint64, ok bool) {
	if f.typ == element {
		return []uint64{f.value}, true
	}
	if f.typ != protowire.BytesType {
		return nil, false
	}
	for b := f.data; len(b) > 0; {
		v, n := uint64(0), 0
		switch element {
		case protowire.Fixed32Type:
			var v32 uint32
			v32, n = protowire.ConsumeFixed32(b)
			v = uint64(v32)
		case protowire.Fixed64Type:
			v, n = protowire.ConsumeFixed64(b)
		default:
			v, n = protowire.ConsumeVarint(b)
		}
		if n < 0 {
			return nil, false
		}
		values, b = append(values, v), b[n:]
	}
	return values, true
}

func appendBytes(b []byte, num protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), v)
}

func appendString(b []byte, num protowire.Number, v string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, num, protowire.BytesType), v)
}

// appendInt writes a negative number in ten bytes, as protobuf does.
func appendInt(b []byte, num protowire.Number, v int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, num, protowire.VarintType), uint64(v))
}

func appendBool(b []byte, num protowire.Number, v *bool) []byte {
	if v == nil {
		return b
	}
	return appendInt(b, num, int64(protowire.EncodeBool(*v)))
}
