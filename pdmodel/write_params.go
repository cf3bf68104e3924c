package pdmodel

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"github.com/pptsn/pptsn/tensor"
)

// WriteParams writes a .pdiparams file: the values of p's parameters, which
// values has by variable name, in the types and shapes that p tells.
func WriteParams(w io.Writer, p *Program, values map[string]*tensor.Dense) error {
	for _, v := range p.Params() {
		t, ok := values[v.Name]
		if !ok {
			return fmt.Errorf("pdmodel: no values for parameter %s", v.Name)
		}
		elem, ok := v.Tensor.Type.Tensor()
		if !ok || t.Type != elem || !slices.Equal(t.Shape, v.Tensor.shape()) {
			return fmt.Errorf("pdmodel: parameter %s is %s, the program wants %s", v.Name, t, v.Tensor)
		}
		if _, err := w.Write(tensorHead(v.Tensor)); err != nil {
			return err
		}
		if _, err := w.Write(t.Data); err != nil {
			return err
		}
	}
	return nil
}

// tensorHead is what stands before a tensor's values: version, number of LoD
// levels, version again, description.
func tensorHead(t *TensorDesc) []byte {
	plain := TensorDesc{Type: t.Type, Dims: t.Dims}
	desc := plain.encode()
	head := make([]byte, 4+8+4, 20+len(desc))
	head = binary.LittleEndian.AppendUint32(head, uint32(len(desc)))
	return append(head, desc...)
}
