package evaluate_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/evaluate"
)

// A meeting is where ranks, goroutines of a test, gather.
type meeting struct {
	mine  []chan []byte // from each rank
	yours []chan [][]byte
}

func newMeeting(ctx context.Context, size int) *meeting {
	m := &meeting{}
	for range size {
		m.mine = append(m.mine, make(chan []byte))
		m.yours = append(m.yours, make(chan [][]byte))
	}
	go func() {
		for {
			all := make([][]byte, size)
			for i := range all {
				select {
				case all[i] = <-m.mine[i]:
				case <-ctx.Done():
					return
				}
			}
			for i := range all {
				m.yours[i] <- all
			}
		}
	}()
	return m
}

// gather is a rank's, and gives up where another rank does not come.
func (m *meeting) gather(rank int) func(context.Context, []byte) ([][]byte, error) {
	return func(ctx context.Context, b []byte) ([][]byte, error) {
		if ctx.Err() != nil {
			return nil, errors.New("a rank that was interrupted must come, too")
		}
		late := time.After(20 * time.Second)
		select {
		case m.mine[rank] <- slices.Clone(b):
		case <-late:
			return nil, fmt.Errorf("rank %d: nobody gathers", rank)
		}
		select {
		case all := <-m.yours[rank]:
			return all, nil
		case <-late:
			return nil, fmt.Errorf("rank %d: a rank did not come", rank)
		}
	}
}

// An outcome is what a rank saw.
type outcome struct {
	result *evaluate.Result
	err    error
	rows   []evaluate.Row
	at     []evaluate.Progress
}

// together runs ranks over a set; o may be changed for one of them, and nil
// leaves it as it is.
func together(t *testing.T, set *dataset.Set, size int, f evaluate.Forward, o evaluate.Options, change func(rank int, o *evaluate.Options, f *evaluate.Forward)) []outcome {
	t.Helper()
	m := newMeeting(t.Context(), size)
	outcomes := make([]outcome, size)
	var wg sync.WaitGroup
	for rank := range size {
		wg.Go(func() {
			out, o, f := &outcomes[rank], o, f
			o.Rank, o.Size, o.Gather = rank, size, m.gather(rank)
			o.Row = func(r evaluate.Row) error { out.rows = append(out.rows, r); return nil }
			o.Progress = func(p evaluate.Progress) { out.at = append(out.at, p) }
			if change != nil {
				change(rank, &o, &f)
			}
			out.result, out.err = evaluate.Run(t.Context(), set, f, o)
		})
	}
	wg.Wait()
	return outcomes
}

// of makes n labels, 0 to 3, those at bad damaged.
func of(n int, bad ...int) []int {
	labels := make([]int, n)
	for i := range labels {
		labels[i] = i * i % 4
		if slices.Contains(bad, i) {
			labels[i] = -1
		}
	}
	return labels
}

// uneven scores depend on the batch that a clip is in: only the batches of one
// process give those of one process.
func uneven(ctx context.Context, clips []*clip.Clip) ([][]float32, error) {
	scores, err := lightness(ctx, clips)
	for i := range scores {
		scores[i][3] += float32(len(clips)) / 7
	}
	return scores, err
}

// However many share a list, whatever its length, each has the rows, progress
// and result of one process.
func TestShareGoroutines(t *testing.T) {
	for _, tc := range []struct {
		name  string
		set   *dataset.Set
		batch int
	}{
		{"prime", grey(t, of(31)...), 1},
		{"prime, failed", grey(t, of(31, 0, 7, 30)...), 2},
		{"several rounds", grey(t, of(101, 50)...), 3},
		{"shorter than the world", grey(t, of(2)...), 1},
		{"one batch", grey(t, of(5, 2)...), 100},
	} {
		o := evaluate.Options{Metric: evaluate.Metric{Classes: 4, Worst: 5}, Batch: tc.batch, Workers: 2}
		want := together(t, tc.set, 1, uneven, o, nil)[0]
		if want.err != nil {
			t.Fatal(want.err)
		}
		for size := 2; size <= 4; size++ {
			for rank, got := range together(t, tc.set, size, uneven, o, nil) {
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%s: rank %d of %d: %+v\nwant %+v", tc.name, rank, size, got, want)
				}
			}
		}
	}
}

// The clips of a video may be of several ranks.
func TestShareMultiCropGoroutines(t *testing.T) {
	set := grey(t, 1, 1, 1, 2, 2, 2, 0, 0, 0)
	o := evaluate.Options{Metric: evaluate.Metric{Classes: 4, ClipsPerVideo: 3}, Batch: 2}
	want := together(t, set, 1, lightness, o, nil)[0]
	for rank, got := range together(t, set, 2, lightness, o, nil) {
		if got.err != nil || got.result.Videos != 3 || !reflect.DeepEqual(got, want) {
			t.Errorf("rank %d: %+v, want %+v", rank, got, want)
		}
	}
}

// Whatever ends one rank ends all, with what it was.
func TestShareErrorsGoroutines(t *testing.T) {
	boom := errors.New("boom")
	failing := func(after int) func(int, *evaluate.Options, *evaluate.Forward) {
		calls := 0
		return func(rank int, _ *evaluate.Options, f *evaluate.Forward) {
			if g := *f; rank == 1 {
				*f = func(ctx context.Context, clips []*clip.Clip) ([][]float32, error) {
					if calls++; calls > after {
						return nil, boom
					}
					return g(ctx, clips)
				}
			}
		}
	}
	fullDisk := func(rank int, o *evaluate.Options, _ *evaluate.Forward) {
		if rank == 1 {
			o.Row = func(evaluate.Row) error { return boom }
		}
	}
	for name, change := range map[string]func(int, *evaluate.Options, *evaluate.Forward){
		"at once": failing(0), "later": failing(9), "of the dump": fullDisk,
	} {
		for rank, got := range together(t, grey(t, of(41)...), 3, lightness, evaluate.Options{Metric: evaluate.Metric{Classes: 4}}, change) {
			if got.err == nil || !strings.Contains(got.err.Error(), "boom") || errors.Is(got.err, boom) != (rank == 1) || rank != 1 && !strings.Contains(got.err.Error(), "rank 1") {
				t.Errorf("%s: rank %d: error %v", name, rank, got.err)
			}
		}
	}
}

// A rank that is interrupted tells the others, which are not.
func TestShareCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	m := newMeeting(t.Context(), 2)
	set := grey(t, of(31)...)
	errs := make([]error, 2)
	var wg sync.WaitGroup
	for rank := range errs {
		wg.Go(func() {
			mine, f := t.Context(), evaluate.Forward(lightness)
			if rank == 0 {
				mine, f = ctx, func(ctx context.Context, clips []*clip.Clip) ([][]float32, error) {
					cancel()
					return nil, ctx.Err()
				}
			}
			_, errs[rank] = evaluate.Run(mine, set, f, evaluate.Options{Metric: evaluate.Metric{Classes: 4}, Rank: rank, Size: 2, Gather: m.gather(rank)})
		})
	}
	wg.Wait()
	for rank, err := range errs {
		if !errors.Is(err, context.Canceled) || rank == 1 && !strings.Contains(err.Error(), "rank 0 was interrupted") {
			t.Errorf("rank %d: %v", rank, err)
		}
	}
}

// Ranks with other lists or batches do not add up: an error on those that see it.
func TestShareDiffersGoroutines(t *testing.T) {
	labels := of(31)
	longer, other := grey(t, append(labels, 1)...), slices.Clone(labels)
	other[1]++
	for name, change := range map[string]func(*dataset.Set, *evaluate.Options) *dataset.Set{
		"batch":  func(s *dataset.Set, o *evaluate.Options) *dataset.Set { o.Batch = 3; return s },
		"length": func(*dataset.Set, *evaluate.Options) *dataset.Set { return longer },
		"label":  func(*dataset.Set, *evaluate.Options) *dataset.Set { return relabel(t, other) },
	} {
		m := newMeeting(t.Context(), 2)
		set := relabel(t, labels)
		errs := make([]error, 2)
		var wg sync.WaitGroup
		for rank := range errs {
			wg.Go(func() {
				o, set := evaluate.Options{Metric: evaluate.Metric{Classes: 4}, Rank: rank, Size: 2, Gather: m.gather(rank)}, set
				if rank == 1 {
					set = change(set, &o)
				}
				_, errs[rank] = evaluate.Run(t.Context(), set, lightness, o)
			})
		}
		wg.Wait()
		for rank, err := range errs {
			if err == nil || !strings.Contains(err.Error(), "another list") && !strings.Contains(err.Error(), "the same list and flags") && !strings.Contains(err.Error(), fmt.Sprintf("rank %d: ", 1-rank)) {
				t.Errorf("%s: rank %d: %v", name, rank, err)
			}
		}
	}
}

// relabel makes a list whose clips are not there.
func relabel(t *testing.T, labels []int) *dataset.Set {
	t.Helper()
	var list strings.Builder
	for i, label := range labels {
		fmt.Fprintf(&list, "clip%d.mp4 %d\n", i, label)
	}
	path := filepath.Join(t.TempDir(), "val.list")
	if err := os.WriteFile(path, []byte(list.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	set, err := dataset.Open(dataset.Options{List: path, Spec: spec, Classes: 4})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestShareOptions(t *testing.T) {
	set := grey(t, 0)
	for want, o := range map[string]evaluate.Options{
		"rank 2 of 2":   {Rank: 2, Size: 2},
		"rank -1 of 1":  {Rank: -1},
		"exchange rows": {Rank: 1, Size: 2},
	} {
		o.Metric.Classes = 4
		if _, err := evaluate.Run(t.Context(), set, lightness, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
