package torch

// #include "call.h"
import "C"

// Seed sets the seed of the random numbers of all devices.
func (s *Scope) Seed(seed uint64) {
	s.Fail(takeErrorAs("seed", C.pt_seed(s.session.lib.table, C.uint64_t(seed))))
}

// Generator is the state of the device's random numbers, for SetGenerator.
func (s *Scope) Generator() Tensor {
	var out C.pt_tensor
	s.Fail(takeErrorAs("generator", C.pt_generator(s.session.lib.table, s.session.kind(), C.int(s.session.device.Index), &out)))
	return s.own(handle(out))
}

// SetGenerator puts the device's random numbers back to a state.
func (s *Scope) SetGenerator(state Tensor) {
	s.Fail(takeErrorAs("generator", C.pt_set_generator(s.session.lib.table, s.session.kind(), C.int(s.session.device.Index), C.pt_tensor(state.h))))
}
