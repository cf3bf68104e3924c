package torch

// #include "call.h"
import "C"

import "fmt"

// A Graph is work on a CUDA device that was recorded once and is done again by
// one call, without the cost of starting each operation. It reads and writes
// the tensors that were there when it was recorded.
type Graph struct {
	session *Session
	graph   C.pt_graph
}

// Capture records what f does on the CUDA device; f's work is not done by it.
// f must have run before, so that libraries are warm, and must not copy from or
// to the host. Inputs and results are tensors that were kept: what f makes
// lives in memory of the graph's own and is overwritten by each Replay. The
// caller closes the graph.
func (s *Scope) Capture(f func()) *Graph {
	if s.err != nil {
		return nil
	}
	g := &Graph{session: s.session}
	if err := takeErrorAs("capture", C.pt_capture_begin(s.session.lib.table, C.int(s.session.device.Index), &g.graph)); err != nil {
		s.Fail(err)
		return nil
	}
	f()
	err := takeErrorAs("capture", C.pt_capture_end(s.session.lib.table, g.graph))
	if s.Fail(err); s.err != nil {
		g.Close()
		return nil
	}
	return g
}

// Replay does the graph's work.
func (s *Scope) Replay(g *Graph) {
	if s.err == nil && g.graph == nil {
		s.Fail(fmt.Errorf("torch: replay: %w", ErrClosed))
	}
	if s.err == nil {
		s.Fail(takeErrorAs("replay", C.pt_replay(s.session.lib.table, g.graph)))
	}
}

// Synchronize waits until the CUDA device has done all that it was given.
func (s *Scope) Synchronize() {
	if s.err == nil {
		s.Fail(takeErrorAs("synchronize", C.pt_synchronize(s.session.lib.table, C.int(s.session.device.Index))))
	}
}

// Close frees the graph. It may be called twice.
func (g *Graph) Close() {
	if g.graph != nil {
		C.pt_drop_graph(g.session.lib.table, g.graph)
		g.graph = nil
	}
}
