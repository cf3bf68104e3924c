package train

import (
	"slices"
	"testing"

	"github.com/pptsn/pptsn/checkpoint"
	"github.com/pptsn/pptsn/graph"
)

// A checkpoint within an epoch comes with the first update at which as many
// iterations as asked for have passed, also where updates do not fall on them.
func TestSaveEveryUpdate(t *testing.T) {
	for _, tc := range []struct {
		accumulate, every int
		want              []int
	}{
		{1, 4, []int{4, 8, 12}},
		{0, 6, []int{6, 12}},
		{2, 3, []int{4, 6, 10, 12}},
		{4, 3, []int{4, 8, 12}},
		{3, 0, nil},
	} {
		var got []int
		for total := max(tc.accumulate, 1); total <= 12; total += max(tc.accumulate, 1) {
			r := &run{Job: &Job{SaveEvery: tc.every, Accumulate: tc.accumulate}, state: checkpoint.State{Total: total}}
			if r.saveNow() {
				got = append(got, total)
			}
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%d batches an update, every %d: saved at %v, want %v", tc.accumulate, tc.every, got, tc.want)
		}
	}
}

// Several batches to an update are one as large as they together, also where
// clips of them cannot be read: some of a batch, all of one.
func TestAccumulatedClipsWeighAlike(t *testing.T) {
	start(t)
	n := newTiny(true)
	for bad, what := range []string{"none", "one", "two", "a whole batch"} {
		c := newClips(t, 12)
		run := func(batch, accumulate int) graph.Weights {
			j := n.job(t, c, 0, 1)
			j.load(t, batch, 0, 1)
			j.Accumulate = accumulate
			if accumulate > 1 {
				c.spoil(t, batches(t, j, 0)[1][:bad]...)
			}
			if err := j.Train(t.Context()); err != nil {
				t.Fatal(err)
			}
			return learned(t, j)
		}
		got := run(3, 2)
		near(t, "bad clips: "+what, got, run(6, 1), 1e-6)
	}
}
