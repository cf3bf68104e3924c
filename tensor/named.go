package tensor

import "fmt"

// A Named is a tensor of a checkpoint.
type Named struct {
	Name   string
	Tensor *Dense
}

// Check finds an array whose data do not have the size of its shape: it would
// make a file that nobody can read.
func (d *Dense) Check() error {
	if n, ok := CheckedCount(d.Shape); !ok || n*d.Type.Size() != len(d.Data) {
		return fmt.Errorf("%s holds %d bytes", d, len(d.Data))
	}
	return nil
}
