package pdparams

import (
	"github.com/pptsn/pptsn/pickle"
	"github.com/pptsn/pptsn/tensor"
)

var (
	tokReconstruct = pickle.Token{Module: "numpy.core.multiarray", Name: "_reconstruct"}
	tokArray       = pickle.Token{Module: "numpy", Name: "ndarray"}
	tokDtype       = pickle.Token{Module: "numpy", Name: "dtype"}
)

// saveNumpy writes a dtype as tensor.Type and an array as *tensor.Dense.
func saveNumpy(p *pickle.Pickler, v any) (bool, error) {
	switch v := v.(type) {
	case tensor.Type:
		return true, saveDtype(p, v)
	case *tensor.Dense:
		return true, saveArray(p, v)
	}
	return false, nil
}

func saveDtype(p *pickle.Pickler, t tensor.Type) error {
	if t == tensor.BFloat16 {
		t = tensor.Uint16 // as Paddle does
	}
	if p.Recall(t) {
		return nil
	}
	if err := p.Call(t, tokDtype, dtypeCode(t), false, true); err != nil {
		return err
	}
	order := "<"
	if t.Size() == 1 {
		order = "|"
	}
	return p.Build(Tuple{3, order, nil, nil, nil, -1, -1, 0})
}

func dtypeCode(t tensor.Type) string {
	for code, typ := range dtypes {
		if typ == t {
			return code
		}
	}
	return ""
}

func saveArray(p *pickle.Pickler, d *tensor.Dense) error {
	if err := d.Check(); err != nil {
		return err
	}
	if err := p.Call(nil, tokReconstruct, tokArray, Tuple{0}, []byte{'b'}); err != nil {
		return err
	}
	return p.Build(Tuple{1, shapeTuple(d.Shape), d.Type, false, d.Data})
}

func shapeTuple(shape []int) Tuple {
	t := make(Tuple, len(shape))
	for i, n := range shape {
		t[i] = n
	}
	return t
}
