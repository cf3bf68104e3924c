package torch

// #include "call.h"
import "C"

// RequireGrad makes backward passes compute t's gradient. t is a leaf: not
// computed from others.
func (s *Scope) RequireGrad(t Tensor) {
	if s.err == nil {
		s.Fail(takeErrorAs("require grad", C.pt_require_grad(s.session.lib.table, C.pt_tensor(t.h))))
	}
}

// WithGrad runs f while operations are recorded for Backward.
func (s *Scope) WithGrad(f func()) {
	C.pt_grad_mode(s.session.lib.table, 1)
	defer C.pt_grad_mode(s.session.lib.table, 0)
	f()
}

// WithAutocast runs f while libtorch computes what gains from it in the given
// type (torch.autocast). Casts of weights are cached while f runs.
func (s *Scope) WithAutocast(d DType, f func()) {
	if s.err != nil {
		return
	}
	s.Fail(takeErrorAs("autocast", C.pt_autocast(s.session.lib.table, s.session.kind(), C.int(d))))
	defer func() { s.Fail(takeErrorAs("autocast", C.pt_autocast(s.session.lib.table, s.session.kind(), -1))) }()
	f()
}

// Backward adds to the gradients of all leaves that the scalar loss was
// computed from, and frees what the forward pass recorded.
func (s *Scope) Backward(loss Tensor) {
	if s.err != nil {
		return
	}
	err := takeErrorAs("backward", C.pt_backward(s.session.lib.table, C.pt_tensor(loss.h)))
	if g := s.session.group; g != nil {
		err = g.blame("gradients of batch norms", err)
	}
	s.Fail(err)
}

// Grads are the gradients of leaves, sharing their memory; zero Tensors where
// no backward pass has come by.
func (s *Scope) Grads(leaves []Tensor) []Tensor {
	if s.err != nil || len(leaves) == 0 {
		return make([]Tensor, len(leaves))
	}
	in, out := pointers(leaves), make([]C.pt_tensor, len(leaves))
	s.Fail(takeErrorAs("gradients", C.pt_grads(s.session.lib.table, &in[0], C.size_t(len(in)), &out[0])))
	grads := make([]Tensor, len(leaves))
	for i, h := range out {
		grads[i] = s.own(handle(h))
	}
	return grads
}

// DropGrads frees the gradients of leaves.
func (s *Scope) DropGrads(leaves []Tensor) {
	if len(leaves) > 0 {
		in := pointers(leaves)
		C.pt_drop_grads(s.session.lib.table, &in[0], C.size_t(len(in)))
	}
}

func pointers(tensors []Tensor) []C.pt_tensor {
	p := make([]C.pt_tensor, len(tensors))
	for i, t := range tensors {
		p[i] = C.pt_tensor(t.h)
	}
	return p
}
