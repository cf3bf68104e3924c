package pdparams

import (
	"errors"
	"fmt"
	"io"

	"github.com/pptsn/pptsn/pickle"
	"github.com/pptsn/pptsn/tensor"
)

// An Entry is a named tensor of a checkpoint to be written.
type Entry = tensor.Named

// WriteOptions says what is written beside the tensors.
// The zero value writes the tensors alone, in protocol 4.
type WriteOptions struct {
	// Protocol of the pickle: 4, paddle.save's default since 2.1, or 2. 0 means 4.
	// Protocol 2 takes half as many bytes again, and splits tensors of 1 GiB and more.
	Protocol int
	// ParameterNames maps a tensor's name to its parameter name, which
	// paddle.save keeps for each tensor. nil leaves the table out.
	ParameterNames map[string]string
	// Extra values come after the tensors, such as LR_Scheduler. They are of
	// the types that [File.Values] returns, with a *tensor.Dense for an array
	// and without Set and Ref.
	Extra *Dict
}

// Write writes the dict that paddle.save writes of a state dict: the tensors,
// then the extra values, then the table of parameter names. The same input
// gives the same bytes, and those of Python's pickle.dump.
// A BFloat16 tensor is written as uint16, as Paddle does.
func Write(w io.Writer, entries []Entry, o WriteOptions) error {
	return write(w, entries, o, partBytes)
}

func write(w io.Writer, entries []Entry, o WriteOptions, partBytes int) error {
	root, err := stateDict(entries, o)
	if err == nil {
		switch o.Protocol {
		case 0, 4:
			err = pickle.Write(w, 4, root, saveNumpy)
		case 2:
			err = pickle.Write(w, 2, cut(root, partBytes), saveNumpy)
		default:
			err = fmt.Errorf("protocol %d: want 2 or 4", o.Protocol)
		}
	}
	if err != nil {
		return fmt.Errorf("pdparams: write: %w", err)
	}
	return nil
}

// stateDict checks the entries and builds the dict to be pickled.
func stateDict(entries []Entry, o WriteOptions) (*Dict, error) {
	root, table := &Dict{}, &Dict{}
	for _, e := range entries {
		if err := e.Tensor.Check(); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", e.Name, err)
		}
		if err := addNew(root, e.Name, e.Tensor); err != nil {
			return nil, err
		}
		if param, ok := o.ParameterNames[e.Name]; ok {
			table.Set(e.Name, pickle.Unshared(param))
		}
	}
	if table.Len() < len(o.ParameterNames) {
		return nil, errors.New("a parameter name for a tensor that is not among the entries")
	}
	if o.Extra != nil {
		for key, v := range o.Extra.All() {
			if err := addNew(root, key, v); err != nil {
				return nil, err
			}
		}
	}
	if o.ParameterNames != nil {
		return root, addNew(root, nameTable, table)
	}
	return root, nil
}

func addNew(d *Dict, key, v any) error {
	if _, ok := d.Get(key); ok || key == splitTable {
		return fmt.Errorf("two values named %v", key)
	}
	d.Set(key, v)
	return nil
}

// cut replaces each tensor of more than partBytes by its parts, which go to
// the end, and the note that File reads.
func cut(d *Dict, partBytes int) *Dict {
	out, parts, table := &Dict{}, &Dict{}, &Dict{}
	for key, v := range d.All() {
		t, ok := v.(*tensor.Dense)
		name, ok2 := key.(string)
		if !ok || !ok2 || t.Len() <= partBytes/t.Type.Size() {
			out.Set(key, v)
			continue
		}
		table.Set(key, cutTensor(name, t, partBytes, parts))
	}
	if table.Len() == 0 {
		return d
	}
	for key, v := range parts.All() {
		out.Set(key, v)
	}
	out.Set(splitTable, table)
	return out
}

func cutTensor(name string, t *tensor.Dense, partBytes int, parts *Dict) *Dict {
	step := partBytes / t.Type.Size() * t.Type.Size()
	var names []any
	for at := 0; at < len(t.Data); at += step {
		data := t.Data[at:min(at+step, len(t.Data))]
		part := partName(name, len(names))
		parts.Set(part, &tensor.Dense{Type: t.Type, Shape: []int{len(data) / t.Type.Size()}, Data: data})
		names = append(names, part)
	}
	info := &Dict{}
	info.Set(splitShape, shapeTuple(t.Shape))
	info.Set(splitSlices, names)
	return info
}
