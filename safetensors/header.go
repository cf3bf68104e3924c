package safetensors

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/pptsn/pptsn/tensor"
)

// maxAxes is PyTorch's limit; the format has none.
const maxAxes = 64

// metadata is the one key of a header that is no tensor: text by name.
const metadata = "__metadata__"

// A description is what a header says of a tensor. Offsets count from the end of
// the header.
type description struct {
	Type    string    `json:"dtype"`
	Shape   []int     `json:"shape"`
	Offsets *[2]int64 `json:"data_offsets"`
}

// readHeader enters the tensors of a file of size bytes.
func (f *File) readHeader(header []byte, size int64) error {
	start := lengthSize + int64(len(header))
	d := json.NewDecoder(bytes.NewReader(header))
	spans, err := f.readObject(d, start)
	if err == nil {
		if rest := bytes.TrimSpace(header[d.InputOffset():]); len(rest) > 0 {
			err = fmt.Errorf("%.40q behind the header's object", rest)
		}
	}
	if err != nil {
		return &FormatError{lengthSize + d.InputOffset(), err.Error()}
	}
	return contiguous(spans, start, size)
}

// readObject enters the tensors that a header describes. The standard library's
// maps would let a name be there twice.
func (f *File) readObject(d *json.Decoder, start int64) (spans []span, err error) {
	if first, err := d.Token(); err != nil || first != json.Delim('{') {
		return nil, errors.New("the header is no JSON object")
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := key.(string) // the decoder sees to it
		if name == metadata {
			err = d.Decode(new(map[string]string))
		} else {
			spans, err = f.readTensor(d, name, start, spans)
		}
		if err != nil {
			return nil, fmt.Errorf("%.200q: %w", name, err)
		}
	}
	_, err = d.Token()
	return spans, err
}

func (f *File) readTensor(d *json.Decoder, name string, start int64, spans []span) ([]span, error) {
	var desc description
	if err := d.Decode(&desc); err != nil {
		return nil, err
	}
	s, err := f.enter(name, desc, start)
	return append(spans, s), err
}

// A span is where a tensor is, from the end of the header.
type span struct{ from, to int64 }

// enter adds a tensor.
func (f *File) enter(name string, d description, start int64) (span, error) {
	if _, ok := f.entries[name]; ok {
		return span{}, fmt.Errorf("is there twice")
	}
	typ, ok := types[d.Type]
	if !ok {
		return span{}, fmt.Errorf("type %.40q is not supported", d.Type)
	}
	if len(d.Shape) > maxAxes {
		return span{}, fmt.Errorf("a shape of %d axes: at most %d are read", len(d.Shape), maxAxes)
	}
	n, ok := tensor.CheckedCount(d.Shape)
	if !ok || d.Offsets == nil {
		return span{}, fmt.Errorf("shape %.200s, offsets %v", tensor.ShapeString(d.Shape), d.Offsets)
	}
	s := span{d.Offsets[0], d.Offsets[1]}
	if size := int64(typ.Size()); s.from < 0 || s.to < s.from || (s.to-s.from)%size != 0 || (s.to-s.from)/size != int64(n) {
		return span{}, fmt.Errorf("offsets %d to %d for %s %.200s", s.from, s.to, typ, tensor.ShapeString(d.Shape))
	}
	f.names = append(f.names, name)
	f.entries[name] = &entry{typ, d.Shape, start + s.from}
	return s, nil
}

// contiguous checks that the tensors fill the file without gap or overlap.
func contiguous(spans []span, start, size int64) error {
	slices.SortFunc(spans, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	at := int64(0)
	for _, s := range spans {
		if s.from != at {
			return &FormatError{start + min(at, s.from), fmt.Sprintf("a tensor begins at %d, the one before ends at %d", s.from, at)}
		}
		at = s.to
	}
	switch {
	case at > size-start:
		return &FormatError{size, fmt.Sprintf("the file is cut short: %d bytes of tensors, %d there", at, size-start)}
	case at < size-start:
		return &FormatError{start + at, fmt.Sprintf("%d bytes behind the last tensor", size-start-at)}
	}
	return nil
}
