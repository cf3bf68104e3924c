package pdparams

import (
	"fmt"
	"io"

	"github.com/pptsn/pptsn/pickle"
)

// A VarInfo is what a .pdiparams.info file tells of a variable of a program.
type VarInfo struct {
	Name           string // in the program: "conv2d_0.w_0"
	StructuredName string // in the layers: "conv.weight"; "" if none
	StopGradient   bool
	Trainable      bool
	Buffer         bool // not a parameter: nothing is said of Trainable
}

// The keys of a variable.
const (
	keyStructured = "structured_name"
	keyStop       = "stop_gradient"
	keyTrainable  = "trainable"
)

// WriteInfo writes a .pdiparams.info file, as paddle.jit.save does.
func WriteInfo(w io.Writer, vars []VarInfo) error {
	root := &Dict{}
	for _, v := range vars {
		d := &Dict{}
		if v.StructuredName != "" {
			d.Set(keyStructured, v.StructuredName)
		}
		d.Set(keyStop, v.StopGradient)
		if !v.Buffer {
			d.Set(keyTrainable, v.Trainable)
		}
		if err := addNew(root, v.Name, d); err != nil {
			return fmt.Errorf("pdparams: write info: %w", err)
		}
	}
	if err := pickle.Write(w, 2, root, nil); err != nil {
		return fmt.Errorf("pdparams: write info: %w", err)
	}
	return nil
}

// ReadInfo reads a .pdiparams.info file of size bytes.
func ReadInfo(r io.ReaderAt, size int64) ([]VarInfo, error) {
	f, err := parse(r, size)
	if err != nil {
		return nil, fmt.Errorf("pdparams: info: %w", err)
	}
	vars := make([]VarInfo, 0, f.values.Len())
	for key, value := range f.values.All() {
		name, ok := key.(string)
		d, ok2 := value.(*Dict)
		if !ok || !ok2 {
			return nil, fmt.Errorf("pdparams: info: %.200v is no description of a variable", key)
		}
		vars = append(vars, varInfo(name, d))
	}
	return vars, nil
}

func varInfo(name string, d *Dict) VarInfo {
	v := VarInfo{Name: name}
	if s, ok := d.Get(keyStructured); ok {
		v.StructuredName, _ = s.(string)
	}
	if b, ok := d.Get(keyStop); ok {
		v.StopGradient, _ = b.(bool)
	}
	b, ok := d.Get(keyTrainable)
	v.Trainable, _ = b.(bool)
	v.Buffer = !ok
	return v
}
