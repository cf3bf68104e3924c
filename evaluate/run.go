package evaluate

import (
	"context"
	"errors"
	"fmt"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/dataset"
)

// Options tunes Run.
type Options struct {
	Metric  Metric // Classes must be set
	Batch   int    // rows of the list in one batch; 0 means 1
	Workers int    // goroutines that load clips while the network computes; 0: clips are loaded in between

	Row      func(Row) error // each row in the list's order, as Dump.Write; its error ends the run; nil: none
	Progress func(Progress)  // after each batch; nil: none
}

// Progress says how far a run is.
type Progress struct {
	Batch  int // the one just done, from 0
	Rows   int // done, the failed ones too
	Of     int // rows in all
	Failed int // that could not be read
}

// Run classifies all clips of a set, in the list's order, and counts. A clip
// that cannot be read counts as wrong and is named in the result. A run whose
// context ends returns the context's error; the rows until then were given to
// Options.Row.
func Run(ctx context.Context, set *dataset.Set, f Forward, o Options) (*Result, error) {
	t, err := NewTally(o.Metric)
	if err != nil {
		return nil, err
	}
	if n := t.metric.ClipsPerVideo; set.Len()%n != 0 {
		return nil, fmt.Errorf("evaluate: the list has %d rows, which is no multiple of the %d clips of a video that METRIC asks for", set.Len(), n)
	}
	r := &run{set: set, forward: f, options: o, tally: t}
	order := make([]int, set.Len())
	for i := range order {
		order[i] = i
	}
	batch := make([]dataset.Loaded, 0, max(o.Batch, 1))
	for loaded := range set.Clips(ctx, order, o.Workers, nil) {
		batch = append(batch, loaded)
		if len(batch) < cap(batch) && r.progress.Rows+len(batch) < len(order) {
			continue
		}
		if err := r.batch(ctx, batch); err != nil {
			return nil, err
		}
		clear(batch) // lets go of the pictures
		batch = batch[:0]
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return t.Result()
}

// A run is an evaluation in progress.
type run struct {
	set      *dataset.Set
	forward  Forward
	options  Options
	tally    *Tally
	progress Progress
}

func (r *run) batch(ctx context.Context, batch []dataset.Loaded) error {
	scores, err := r.score(ctx, batch)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	for i, loaded := range batch {
		s := r.set.Sample(loaded.Sample)
		row := Row{Row: loaded.Sample, Line: s.Line, File: s.Name, Label: s.Label, Scores: scores[i]}
		if loaded.Err != nil {
			row.Error = loaded.Err.Error()
			r.progress.Failed++
		}
		if err := r.tally.Add(row); err != nil {
			return err
		}
		if r.options.Row != nil {
			if err := r.options.Row(row); err != nil {
				return err
			}
		}
	}
	r.progress.Rows += len(batch)
	r.progress.Of = r.set.Len()
	if r.options.Progress != nil {
		r.options.Progress(r.progress)
	}
	r.progress.Batch++
	return nil
}

// score runs the network on the clips that could be read. The scores of the
// others are nil.
func (r *run) score(ctx context.Context, batch []dataset.Loaded) ([][]float32, error) {
	scores := make([][]float32, len(batch))
	var clips []*clip.Clip
	var at []int
	for i, loaded := range batch {
		if loaded.Err == nil {
			clips, at = append(clips, loaded.Clip), append(at, i)
		}
	}
	if len(clips) == 0 {
		return scores, nil
	}
	out, err := r.forward(ctx, clips)
	if err != nil {
		return nil, err
	}
	if len(out) != len(clips) {
		return nil, errors.New("evaluate: the network gave scores for another number of clips")
	}
	for i, s := range out {
		scores[at[i]] = s
	}
	return scores, nil
}
