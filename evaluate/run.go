package evaluate

import (
	"context"
	"errors"
	"fmt"
	"slices"

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

	// Of Size processes that share the list this is number Rank, from 0. Each
	// takes every Size-th batch and learns the rows of the others, so all count
	// the same rows in the same order, and batches are those of one process. Size
	// 0 means 1: alone.
	Rank, Size int
	// Gather gives the bytes of each process to all, as torch.Group does. All
	// call it equally often.
	Gather func(ctx context.Context, rows []byte) ([][]byte, error)
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
// Options.Row. Where several processes share the list, an error of one ends all.
func Run(ctx context.Context, set *dataset.Set, f Forward, o Options) (*Result, error) {
	t, err := NewTally(o.Metric)
	if err != nil {
		return nil, err
	}
	if n := t.metric.ClipsPerVideo; set.Len()%n != 0 {
		return nil, fmt.Errorf("evaluate: the list has %d rows, which is no multiple of the %d clips of a video that METRIC asks for", set.Len(), n)
	}
	s, err := newShare(set, o)
	if err != nil {
		return nil, err
	}
	r := &run{set: set, forward: f, options: o, share: s, tally: t}
	if err := r.all(ctx); err != nil {
		return nil, err
	}
	return t.Result()
}

// A run is an evaluation in progress.
type run struct {
	set      *dataset.Set
	forward  Forward
	options  Options
	share    *share
	tally    *Tally
	progress Progress
}

func (r *run) all(ctx context.Context) error {
	order := r.share.order()
	batch := make([]dataset.Loaded, 0, r.share.batch)
	taken := 0
	for loaded := range r.set.Clips(ctx, order, r.options.Workers, nil) {
		taken++
		batch = append(batch, loaded)
		if len(batch) < cap(batch) && taken < len(order) {
			continue
		}
		if err := r.one(ctx, batch); err != nil {
			return r.share.end(ctx, err)
		}
		clear(batch) // lets go of the pictures
		batch = batch[:0]
	}
	if err := ctx.Err(); err != nil {
		return r.share.end(ctx, err)
	}
	return r.count(r.share.rest(ctx))
}

// one scores a batch and counts what is complete with it.
func (r *run) one(ctx context.Context, batch []dataset.Loaded) error {
	scores, err := r.score(ctx, batch)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	rows := make([]Row, len(batch))
	for i, loaded := range batch {
		rows[i] = rowOf(r.set, loaded.Sample)
		rows[i].Scores = scores[i]
		if loaded.Err != nil {
			rows[i].Error = loaded.Err.Error()
		}
	}
	return r.count(r.share.add(ctx, rows))
}

// rowOf is a row of the list, not yet scored.
func rowOf(set *dataset.Set, i int) Row {
	s := set.Sample(i)
	return Row{Row: i, Line: s.Line, File: s.Name, Label: s.Label}
}

// count takes the next rows of the list, batches of one process.
func (r *run) count(rows []Row, err error) error {
	if err != nil {
		return err
	}
	for batch := range slices.Chunk(rows, r.share.batch) {
		for _, row := range batch {
			if err := r.countRow(row); err != nil {
				return err
			}
		}
		r.progress.Rows += len(batch)
		r.progress.Of = r.set.Len()
		if r.options.Progress != nil {
			r.options.Progress(r.progress)
		}
		r.progress.Batch++
	}
	return nil
}

func (r *run) countRow(row Row) error {
	if row.Error != "" {
		r.progress.Failed++
	}
	if err := r.tally.Add(row); err != nil {
		return err
	}
	if r.options.Row == nil {
		return nil
	}
	return r.options.Row(row)
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
