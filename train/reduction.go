package train

import (
	"context"

	"github.com/pptsn/pptsn/torch"
)

// A reduction makes the gradients of an update those of all ranks' clips. A nil
// one does nothing.
type reduction struct {
	reducer *torch.Reducer
	weight  float64 // of this rank's micro-batches since the last update
	begun   bool    // the reducer waits for the end of the update
	total   float64 // weight of all ranks in the update that was reduced last
}

func newReduction(ctx context.Context, session *torch.Session, leaves []torch.Tensor, o LearnerOptions) (*reduction, error) {
	r := &reduction{}
	err := session.Do(ctx, func(s *torch.Scope) error {
		r.reducer = torch.NewReducer(s, o.Group, leaves, torch.ReducerOptions{BucketBytes: o.BucketBytes})
		return nil
	})
	return r, err
}

// count readies a micro-batch's backward pass.
func (r *reduction) count(s *torch.Scope, b MicroBatch) {
	if r == nil {
		return
	}
	if b.Views.Shape[0] > 0 {
		r.weight += b.share()
	}
	if b.Last {
		r.begin(s, b.Name)
	}
}

func (r *reduction) begin(s *torch.Scope, name string) {
	if !r.begun {
		r.reducer.Begin(s, "gradients of "+name)
		r.begun = true
	}
}

// Reduce makes the gradients those of the clips of all ranks; each rank calls it
// once before Update, also one that had no clips. Without a group it does
// nothing.
func (l *Learner) Reduce(ctx context.Context, name string) error {
	r := l.reduce
	if r == nil {
		return nil
	}
	return l.session.Do(ctx, func(s *torch.Scope) error {
		r.begin(s, name)
		r.total = r.reducer.Finish(s, r.weight)
		r.weight, r.begun = 0, false
		return nil
	})
}

// times is what reducing took since the last call.
func (r *reduction) times() torch.ReduceTimes {
	if r == nil {
		return torch.ReduceTimes{}
	}
	return r.reducer.Times()
}

// ReduceTimes is what summing gradients over the ranks took since the last call.
func (l *Learner) ReduceTimes() torch.ReduceTimes { return l.reduce.times() }

func (r *reduction) close() {
	if r != nil && r.reducer != nil {
		r.reducer.Close()
	}
}
