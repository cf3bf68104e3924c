package pdparams

import "github.com/pptsn/pptsn/pickle"

// rules are all that a checkpoint can reach beside Python's containers, of which
// tuple((name, array)) is a Tensor in a nested value. Each row is what numpy or
// Paddle put into the files that paddle.save writes.
var rules = pickle.Rules{Writer: "Paddle", Globals: map[string]pickle.Call{
	"numpy.ndarray":                      nil,
	"numpy.dtype":                        newDtype,
	"numpy.core.multiarray._reconstruct": reconstruct,
	"numpy.core.multiarray.scalar":       scalar,
	"numpy.core.numeric._frombuffer":     fromBuffer, // protocol 5

	// A LoDTensor of a static program: eval("data", {"data": array}), and
	// what newer versions write instead.
	"builtins.eval": evalData,
	"paddle.framework.io_utils._reconstruct_dense_tensor_data": denseTensor,
}}

// evalData is the one use of eval that Paddle makes. It evaluates nothing: the
// expression is known.
func evalData(m *pickle.Machine, args Tuple) any {
	if len(args) == 2 && m.Is(args[0], "data") {
		if d, ok := args[1].(*Dict); ok && d.Len() == 1 {
			if v, _ := d.Get("data"); isArray(v) {
				return v
			}
		}
	}
	m.Forbid("builtins.eval")
	return nil
}

func denseTensor(m *pickle.Machine, args Tuple) any {
	if len(args) != 1 || !isArray(args[0]) {
		m.Fail("a tensor made of %s", pickle.Kind(args))
	}
	return args[0]
}

func isArray(v any) bool {
	_, ok := v.(*array)
	return ok
}
