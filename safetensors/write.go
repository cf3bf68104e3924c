package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/pptsn/pptsn/tensor"
)

// Write writes the tensors, wider types first so that each is aligned, as the
// library does. The same input gives the same bytes.
func Write(w io.Writer, entries []tensor.Named) error {
	sorted := slices.Clone(entries)
	slices.SortStableFunc(sorted, func(a, b tensor.Named) int {
		return cmp.Compare(b.Tensor.Type.Size(), a.Tensor.Type.Size())
	})
	header, err := encode(sorted)
	if err != nil {
		return fmt.Errorf("safetensors: write: %w", err)
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	for _, e := range sorted {
		if _, err := w.Write(e.Tensor.Data); err != nil {
			return err
		}
	}
	return nil
}

// encode makes length and header, filled up with spaces to a multiple of 8.
func encode(entries []tensor.Named) ([]byte, error) {
	b := bytes.NewBufferString(`{"` + metadata + `":{"format":"pt"}`) // transformers wants to know
	seen, at := map[string]bool{metadata: true}, int64(0)
	for _, e := range entries {
		if seen[e.Name] {
			return nil, fmt.Errorf("two values named %q", e.Name)
		}
		seen[e.Name] = true
		end := at + int64(len(e.Tensor.Data))
		if err := describe(b, e, [2]int64{at, end}); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", e.Name, err)
		}
		at = end
	}
	b.WriteByte('}')
	for b.Len()%lengthSize != 0 {
		b.WriteByte(' ')
	}
	if b.Len() > maxHeader {
		return nil, fmt.Errorf("a header of %d bytes: the format allows %d", b.Len(), maxHeader)
	}
	return append(binary.LittleEndian.AppendUint64(nil, uint64(b.Len())), b.Bytes()...), nil
}

// describe appends a tensor to a header.
func describe(b *bytes.Buffer, e tensor.Named, offsets [2]int64) error {
	name, err := typeName(e.Tensor.Type)
	if err == nil {
		err = e.Tensor.Check()
	}
	if err != nil {
		return err
	}
	key, err := json.Marshal(e.Name)
	if err != nil {
		return err
	}
	value, err := json.Marshal(description{name, append([]int{}, e.Tensor.Shape...), &offsets})
	fmt.Fprintf(b, ",%s:%s", key, value)
	return err
}

func typeName(t tensor.Type) (string, error) {
	for name, typ := range types {
		if typ == t {
			return name, nil
		}
	}
	return "", fmt.Errorf("the format has no type %s", t)
}
