package pdmodel

import (
	"google.golang.org/protobuf/encoding/protowire"
)

// Parse reads the contents of a .pdmodel file. Fields that this package does
// not know are kept for Encode. A file of another kind is named, with what to
// do about it.
func Parse(data []byte) (*Program, error) {
	if err := notProgram(data); err != nil {
		return nil, err
	}
	p := &Program{}
	if err := eachField(data, 0, p.field); err != nil {
		return nil, err
	}
	if len(p.Blocks) == 0 {
		return nil, formatErrorf(int64(len(data)), "a program without blocks: this is no .pdmodel file, or not all of it")
	}
	return p, nil
}

func (p *Program) field(f field) error {
	switch {
	case f.is(1, protowire.BytesType):
		b, err := decodeBlock(f)
		p.Blocks = append(p.Blocks, b)
		return err
	case f.num == 1:
		return formatErrorf(f.offset, "field 1 is no block: this is another kind of file (.onnx begins so)")
	case f.is(3, protowire.BytesType):
		p.compatible = append(p.compatible, f.raw...)
	case f.is(4, protowire.BytesType):
		p.hasVersion = true
		return eachField(f.data, f.offset, func(f field) error {
			if f.is(1, protowire.VarintType) {
				p.Version = int64(f.value)
			}
			return nil
		})
	case f.is(5, protowire.BytesType):
		p.hasOpVersions = true
		return eachField(f.data, f.offset, p.opVersion)
	default:
		p.unknown = append(p.unknown, f.raw...)
	}
	return nil
}

// opVersion reads an entry of op_version_map.
func (p *Program) opVersion(f field) error {
	if !f.is(1, protowire.BytesType) {
		return nil
	}
	var v OpVersion
	err := eachField(f.data, f.offset, func(f field) error {
		switch {
		case f.is(1, protowire.BytesType):
			v.Op = string(f.data)
		case f.is(2, protowire.BytesType):
			return eachField(f.data, f.offset, func(f field) error {
				if f.is(1, protowire.VarintType) {
					v.Version = int32(f.value)
				}
				return nil
			})
		}
		return nil
	})
	p.OpVersions = append(p.OpVersions, v)
	return err
}

func decodeBlock(message field) (*Block, error) {
	b, names := &Block{Parent: -1}, map[string]bool{}
	err := eachField(message.data, message.offset, func(f field) error {
		switch {
		case f.is(1, protowire.VarintType):
			b.Index = int32(f.value)
		case f.is(2, protowire.VarintType):
			b.Parent = int32(f.value)
		case f.is(3, protowire.BytesType):
			v, err := decodeVar(f)
			if err == nil && names[v.Name] {
				err = formatErrorf(f.offset, "two variables are called %q", v.Name)
			}
			b.Vars, names[v.Name] = append(b.Vars, v), true
			return err
		case f.is(4, protowire.BytesType):
			op, err := decodeOp(f)
			b.Ops = append(b.Ops, op)
			return err
		default:
			b.unknown = append(b.unknown, f.raw...)
		}
		return nil
	})
	return b, err
}

func decodeOp(message field) (*Op, error) {
	o := &Op{}
	err := eachField(message.data, message.offset, func(f field) error {
		switch {
		case f.is(1, protowire.BytesType):
			s, err := decodeSlot(f)
			o.In = append(o.In, s)
			return err
		case f.is(2, protowire.BytesType):
			s, err := decodeSlot(f)
			o.Out = append(o.Out, s)
			return err
		case f.is(3, protowire.BytesType):
			o.Type = string(f.data)
		case f.is(4, protowire.BytesType):
			a, err := decodeAttr(f.data, f.offset)
			o.Attrs = append(o.Attrs, a)
			return err
		case f.is(5, protowire.VarintType):
			o.Target = new(f.value != 0)
		default:
			o.unknown = append(o.unknown, f.raw...)
		}
		return nil
	})
	if err == nil && o.Type == "" {
		err = formatErrorf(message.offset, "an operator without a type")
	}
	return o, err
}

func decodeSlot(message field) (Slot, error) {
	var s Slot
	err := eachField(message.data, message.offset, func(f field) error {
		switch {
		case f.is(1, protowire.BytesType):
			s.Name = string(f.data)
		case f.is(2, protowire.BytesType):
			s.Args = append(s.Args, string(f.data))
		default:
			s.unknown = append(s.unknown, f.raw...)
		}
		return nil
	})
	return s, err
}
