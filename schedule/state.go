package schedule

// A State is what Paddle keeps of a scheduler in a .pdopt file, as the dict
// LR_Scheduler.
type State struct {
	Position   float64 // last_epoch
	Fractional bool    // last_epoch is a float; else Position is whole and an int
	Rate       float64 // last_lr
	After      *State  // LinearWarmup_LR: the schedule that follows a warm-up; nil where none is or it is constant
}

// State is the state after that many iterations, which is that in iteration
// iter. For a constant rate, of which Paddle keeps nothing, it is nil.
func (s *Schedule) State(iter int) *State {
	state := &State{Position: s.Position(iter), Rate: s.At(iter)}
	switch r := s.spec; {
	case r.WarmupCosine != nil:
		state.Fractional = iter > 0 // the first step is to the int 0
	case r.LinearWarmup != nil:
		state.After = r.LinearWarmup.state(s.steps(iter))
	case r.Piecewise == nil && r.Cosine == nil:
		return nil
	}
	return state
}

// state is that of After: during the warm-up it waits at its beginning.
func (w *LinearWarmup) state(epoch int) *State {
	if w.After.Piecewise == nil && w.After.Cosine == nil {
		return nil
	}
	if epoch >= w.Epochs {
		return &State{Position: float64(epoch - w.Epochs), Rate: w.After.after(epoch - w.Epochs)}
	}
	rate := w.After.after(0)
	if w.After.Cosine != nil {
		rate = w.After.Cosine.Base // as given, not through the closed form
	}
	return &State{Rate: rate}
}
