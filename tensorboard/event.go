package tensorboard

import (
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// appendEvent appends an event's protobuf to b. Absent fields cost nothing.
func appendEvent(b []byte, e Event) []byte {
	b = protowire.AppendTag(b, eventWallTime, protowire.Fixed64Type)
	b = protowire.AppendFixed64(b, math.Float64bits(e.WallTime))
	if e.Step != 0 {
		b = protowire.AppendTag(b, eventStep, protowire.VarintType)
		b = protowire.AppendVarint(b, uint64(e.Step))
	}
	if e.FileVersion != "" {
		b = protowire.AppendTag(b, eventFileVersion, protowire.BytesType)
		b = protowire.AppendString(b, e.FileVersion)
	}
	if e.Scalars != nil {
		b = protowire.AppendTag(b, eventSummary, protowire.BytesType)
		b = protowire.AppendBytes(b, summary(e.Scalars))
	}
	if e.Start {
		log := protowire.AppendTag(nil, sessionStatus, protowire.VarintType)
		log = protowire.AppendVarint(log, sessionStart)
		b = protowire.AppendTag(b, eventSessionLog, protowire.BytesType)
		b = protowire.AppendBytes(b, log)
	}
	return b
}

func summary(scalars []Scalar) []byte {
	var b []byte
	for _, s := range scalars {
		v := protowire.AppendTag(nil, valueTag, protowire.BytesType)
		v = protowire.AppendString(v, s.Tag)
		v = protowire.AppendTag(v, valueSimpleValue, protowire.Fixed32Type)
		v = protowire.AppendFixed32(v, math.Float32bits(s.Value))
		b = protowire.AppendTag(b, summaryValue, protowire.BytesType)
		b = protowire.AppendBytes(b, v)
	}
	return b
}

// parseEvent reads what appendEvent writes. Fields of other kinds of events are
// passed over.
func parseEvent(b []byte) (Event, error) {
	var e Event
	err := fields(b, func(n protowire.Number, x field) error {
		var err error
		switch {
		case n == eventWallTime && x.kind == protowire.Fixed64Type:
			e.WallTime = math.Float64frombits(x.number)
		case n == eventStep && x.kind == protowire.VarintType:
			e.Step = int64(x.number)
		case n == eventFileVersion && x.kind == protowire.BytesType:
			e.FileVersion = string(x.bytes)
		case n == eventSummary && x.kind == protowire.BytesType:
			e.Scalars, err = parseSummary(x.bytes)
		case n == eventSessionLog && x.kind == protowire.BytesType:
			err = fields(x.bytes, func(n protowire.Number, x field) error {
				e.Start = e.Start || n == sessionStatus && x.number == sessionStart
				return nil
			})
		}
		return err
	})
	return e, err
}

func parseSummary(b []byte) (scalars []Scalar, err error) {
	err = fields(b, func(n protowire.Number, x field) error {
		if n != summaryValue || x.kind != protowire.BytesType {
			return nil
		}
		s, simple := Scalar{}, false
		err := fields(x.bytes, func(n protowire.Number, x field) error {
			switch {
			case n == valueTag && x.kind == protowire.BytesType:
				s.Tag = string(x.bytes)
			case n == valueSimpleValue && x.kind == protowire.Fixed32Type:
				s.Value, simple = math.Float32frombits(uint32(x.number)), true
			}
			return nil
		})
		if simple {
			scalars = append(scalars, s)
		}
		return err
	})
	return scalars, err
}

// A field is a protobuf value: number or bytes, as kind says.
type field struct {
	kind   protowire.Type
	number uint64
	bytes  []byte
}

// fields calls visit for every field of a message. Groups are an error: the
// messages of event files have none.
func fields(b []byte, visit func(protowire.Number, field) error) error {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		x := field{kind: kind}
		switch kind {
		case protowire.VarintType:
			x.number, n = protowire.ConsumeVarint(b)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(b)
			x.number = uint64(v)
		case protowire.Fixed64Type:
			x.number, n = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			x.bytes, n = protowire.ConsumeBytes(b)
		default:
			return errors.New("a protobuf group")
		}
		if n < 0 {
			return fmt.Errorf("field %d: %w", number, protowire.ParseError(n))
		}
		b = b[n:]
		if err := visit(number, x); err != nil {
			return err
		}
	}
	return nil
}
