package pth

import (
	"github.com/pptsn/pptsn/pickle"
)

// An opaque is an object that stands beside the tensors, such as the arguments
// of a training run. Nothing is kept of it.
type opaque struct{}

// Kind describes an opaque for an error.
func (*opaque) Kind() string { return "an object" }

// SetState drops the state.
func (*opaque) SetState(*pickle.Machine, any) {}

// historyBuffer is what mmaction2 1.x logs to; its state names its methods.
const historyBuffer = "mmengine.logging.history_buffer.HistoryBuffer"

// method is getattr(HistoryBuffer, name), and forbidden of all else.
func method(m *pickle.Machine, args pickle.Tuple) any {
	if len(args) == 2 {
		if g, ok := args[0].(*pickle.Global); ok && g.Name == historyBuffer {
			return &opaque{}
		}
	}
	m.Forbid("builtins.getattr")
	return nil
}

// globals is what pickles of torch.save may name beside Python's containers: how
// tensors are made, and what training programs put beside a state dict.
func globals() map[string]pickle.Call {
	g := map[string]pickle.Call{
		"torch._utils._rebuild_tensor_v2":            rebuildTensor,
		"torch._utils._rebuild_tensor":               rebuildTensor, // PyTorch 0.3
		"torch._utils._rebuild_parameter":            firstOf,
		"torch._utils._rebuild_parameter_with_state": firstOf,
		"torch._tensor._rebuild_from_type_v2":        rebuildSubclass,
		"torch.Tensor":                               nil,
		"torch.nn.parameter.Parameter":               nil,
		"torch.Size":                                 firstOf,
		"torch.device":                               drop,
		"torch._utils._rebuild_qtensor":              refuse(quantised),
		"torch._utils._rebuild_sparse_tensor":        refuse("a sparse tensor: in Python, save its .to_dense()"),
		"torch.serialization._get_layout":            drop,
		"torch._utils._rebuild_tensor_v3":            refuse("a tensor of a type newer than PyTorch 1.13's"),

		"argparse.Namespace":                 drop,
		"collections.Counter":                drop,
		"collections.defaultdict":            func(*pickle.Machine, pickle.Tuple) any { return &pickle.Dict{} },
		historyBuffer:                        drop,
		"builtins.getattr":                   method,
		"numpy.core.multiarray._reconstruct": drop,
		"numpy.core.multiarray.scalar":       drop,
		"numpy.ndarray":                      nil,
		"numpy.dtype":                        drop,
	}
	for _, t := range []string{"float16", "float32", "float64", "bfloat16", "int8", "int16", "int32", "int64", "uint8", "bool"} {
		g["torch."+t] = nil
	}
	for name := range storages {
		g["torch."+name] = nil
	}
	for _, name := range quantisedStorages {
		g["torch."+name] = nil
	}
	return g
}

// rules makes the rules of a file in which persistent ids stand for storages.
func rules(persistent func(m *pickle.Machine, id any) any) *pickle.Rules {
	return &pickle.Rules{Writer: "torch.save", Globals: globals(), Instances: true, Persistent: persistent}
}

func drop(*pickle.Machine, pickle.Tuple) any { return &opaque{} }

func refuse(what string) pickle.Call {
	return func(m *pickle.Machine, _ pickle.Tuple) any {
		m.Unsupported("%s", what)
		return nil
	}
}

// firstOf is a parameter of a tensor, or a size of a tuple.
func firstOf(m *pickle.Machine, args pickle.Tuple) any {
	if len(args) == 0 {
		m.Fail("a call without arguments")
	}
	return args[0]
}
