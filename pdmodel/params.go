package pdmodel

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/tensor"
)

// ReadParams reads a .pdiparams file of size bytes: the values of p's
// parameters, by variable name, in the types that the file has. The file holds
// no names, so each tensor must be of the type and shape that the program
// tells of the next one: otherwise the two do not belong together and the
// error is a PairError.
func ReadParams(r io.ReaderAt, size int64, p *Program) (map[string]*tensor.Dense, error) {
	s := newStream(r, size)
	head, err := s.peek(512)
	if err != nil {
		return nil, err
	}
	if err := notParams(head); err != nil {
		return nil, err
	}
	params := p.Params()
	out := make(map[string]*tensor.Dense, len(params))
	for i, v := range params {
		t, err := readTensor(s, v)
		var pair *PairError
		if errors.As(err, &pair) {
			pair.Index, pair.Total = i, len(params)
			return nil, pair
		}
		if err != nil {
			return nil, fmt.Errorf("parameter %s: %w", v.Name, err)
		}
		out[v.Name] = t
	}
	if left := s.left(); left > 0 {
		return nil, &PairError{Index: len(params), Total: len(params), Want: "the end of the file",
			Got: fmt.Sprintf("%d more bytes", left)}
	}
	return out, nil
}

// readTensor reads the next tensor, which should be v's.
func readTensor(s *stream, v *Var) (*tensor.Dense, error) {
	misfit := func(got string) error {
		return &PairError{Tensor: v.Name, Want: v.Tensor.String(), Got: got}
	}
	if s.left() == 0 {
		return nil, misfit("no more tensors")
	}
	desc, err := readTensorHead(s)
	if err != nil {
		return nil, err
	}
	if desc.Type != v.Tensor.Type || !slices.Equal(desc.Dims, v.Tensor.Dims) {
		return nil, misfit(desc.String())
	}
	elem, ok := desc.Type.Tensor()
	n, countable := tensor.CheckedCount(desc.shape())
	if !ok || !countable {
		return nil, formatErrorf(s.pos, "a tensor of %s cannot be held", desc)
	}
	if int64(n) > s.left()/int64(elem.Size()) {
		return nil, formatErrorf(s.pos, "%d values of %s announced, %d bytes left: the file is cut off", n, elem, s.left())
	}
	t := tensor.New(elem, desc.shape()...)
	return t, s.read(t.Data)
}

// readTensorHead reads what stands before a tensor's values.
func readTensorHead(s *stream) (*TensorDesc, error) {
	if err := s.version(); err != nil {
		return nil, err
	}
	levels, err := s.uint64()
	if err != nil {
		return nil, err
	}
	for ; levels > 0; levels-- { // offsets of sequences, of no use for images
		n, err := s.uint64()
		if err != nil {
			return nil, err
		}
		if err := s.skip(n); err != nil {
			return nil, err
		}
	}
	if err := s.version(); err != nil {
		return nil, err
	}
	n, err := s.uint32()
	if err != nil {
		return nil, err
	}
	offset := s.pos
	message, err := s.bytes(uint64(n))
	if err != nil {
		return nil, err
	}
	desc := &TensorDesc{Type: -1}
	return desc, eachField(message, offset, desc.field)
}

// String is such as "float32 [64, 3, 7, 7]".
func (t *TensorDesc) String() string { return t.Type.String() + " " + tensor.ShapeString(t.shape()) }

// Weights converts parameters to what a graph takes: every float type becomes
// float32; integers, which no layer here reads, are left out.
func Weights(params map[string]*tensor.Dense) (graph.Weights, error) {
	w := graph.Weights{}
	for name, t := range params {
		if t.Type.IsInteger() {
			continue
		}
		f, err := t.Float32()
		if err != nil {
			return nil, fmt.Errorf("pdmodel: parameter %s: %w", name, err)
		}
		w[name] = f
	}
	return w, nil
}
