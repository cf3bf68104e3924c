package pptsn

import (
	"cmp"
	"context"
	"iter"
	"runtime"
	"time"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/internal/ordered"
)

// Many tunes ClassifyMany.
type Many struct {
	Batch   int // videos that go through the network together; 0 means 1
	Workers int // videos that are decoded at the same time; 0: one for each core
}

// An Outcome is what became of one video: a result or an error.
type Outcome struct {
	File   string
	Result *Result
	Err    error
}

// ClassifyMany is Classify for any number of videos: outcomes come in the order of
// the files. Videos are decoded while the network computes; memory does not
// depend on their number. An error that files yields stands for a video that could
// not be named, and becomes its outcome; no failure stops the others. When
// ctx ends the sequence does.
//
// Which videos share a batch depends on their places alone: each Batch of
// neighbours, less those that failed.
func (m *Model) ClassifyMany(ctx context.Context, files iter.Seq2[string, error], o Many) iter.Seq[Outcome] {
	batch, workers := max(o.Batch, 1), cmp.Or(o.Workers, runtime.GOMAXPROCS(0))
	return func(yield func(Outcome) bool) {
		var group []loaded
		for l := range ordered.Map(ctx, inputs(files), workers, batch, m.load) {
			if group = append(group, l); len(group) < batch {
				continue
			}
			if !m.deliver(ctx, group, yield) {
				return
			}
			clear(group) // the clips' memory is free while the next are waited for
			group = group[:0]
		}
		if ctx.Err() == nil {
			m.deliver(ctx, group, yield)
		}
	}
}

// A loaded is a video before the network.
type loaded struct {
	Outcome
	clip *clip.Clip // nil if it failed
	took time.Duration
}

func inputs(files iter.Seq2[string, error]) iter.Seq[Outcome] {
	return func(yield func(Outcome) bool) {
		for file, err := range files {
			if !yield(Outcome{File: file, Err: err}) {
				return
			}
		}
	}
}

func (m *Model) load(ctx context.Context, in Outcome) loaded {
	l := loaded{Outcome: in}
	if l.Err == nil {
		begin := time.Now()
		l.clip, l.Err = m.Load(ctx, in.File)
		l.took = time.Since(begin)
	}
	return l
}

// deliver runs the network on a group and yields its outcomes; false is the end.
func (m *Model) deliver(ctx context.Context, group []loaded, yield func(Outcome) bool) bool {
	m.runGroup(ctx, group)
	if ctx.Err() != nil {
		return false
	}
	for _, l := range group {
		if !yield(l.Outcome) {
			return false
		}
	}
	return true
}

// runGroup fills in the results. Where the network fails on several clips each
// goes through it alone, so that one cannot spoil the others.
func (m *Model) runGroup(ctx context.Context, group []loaded) {
	var good []*loaded
	var clips []*clip.Clip
	for i := range group {
		if l := &group[i]; l.Err == nil {
			good, clips = append(good, l), append(clips, l.clip)
		}
	}
	if len(good) == 0 {
		return
	}
	results, err := m.ClassifyClips(ctx, clips)
	if err != nil && len(good) > 1 && ctx.Err() == nil {
		for i := range group {
			m.runGroup(ctx, group[i:i+1])
		}
		return
	}
	for i, l := range good {
		if err != nil {
			l.Err = err
			continue
		}
		l.Result = results[i]
		l.Result.File, l.Result.Time.Frames = l.File, milliseconds(l.took)
	}
}
