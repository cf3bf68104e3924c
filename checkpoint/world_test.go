package checkpoint_test

import (
	"path/filepath"
	"testing"

	"github.com/pptsn/pptsn/checkpoint"
)

// A list of 100 clips, 4 to a process's batch, is gone through by another number
// of processes.
func TestStateInAnotherWorld(t *testing.T) {
	for _, tc := range []struct {
		was, is, update  int
		iterations, want int
	}{
		{was: 1, is: 1, update: 1, iterations: 7, want: 7},
		{was: 0, is: 1, update: 4, iterations: 7, want: 7}, // of before there were several
		{was: 1, is: 2, update: 1, iterations: 7, want: 3}, // clips 24 to 27 once more
		{was: 2, is: 1, update: 1, iterations: 7, want: 14},
		{was: 4, is: 3, update: 1, iterations: 4, want: 5},
		{was: 3, is: 4, update: 1, iterations: 5, want: 3},
		{was: 1, is: 2, update: 2, iterations: 7, want: 2},
		{was: 4, is: 2, update: 1, iterations: 6, want: 12}, // all of its 6
		{was: 2, is: 4, update: 1, iterations: 12, want: 6},
		{was: 2, is: 1, update: 1, iterations: 0, want: 0},
	} {
		batches := func(world int) int { return 100 / (4 * max(world, 1)) }
		s := checkpoint.State{Model: model, Epochs: 3, Batches: batches(tc.was), World: tc.was, Iterations: tc.iterations}
		s.Total = s.Epochs*s.Batches + s.Iterations
		got := s.In(tc.is, batches(tc.is), tc.update)
		if got.Iterations != tc.want || got.Epochs != 3 || got.Batches != batches(tc.is) || got.Total != 3*got.Batches+tc.want {
			t.Errorf("%d of %d iterations of %d processes are %+v of %d, want iteration %d", tc.iterations, s.Batches, tc.was, got, tc.is, tc.want)
		}
	}
}

func TestWorldIsKept(t *testing.T) {
	dir := t.TempDir()
	c := sample(t, 1, 0, 4, 1)
	c.State.World = 4
	save(t, dir, "a", c)
	got, err := checkpoint.Open(filepath.Join(dir, "a"))
	if err != nil || got.State.World != 4 {
		t.Errorf("world %d (%v), want 4", got.State.World, err)
	}
	c.State.World = -1
	if checkpoint.Save(dir, "b", c) == nil {
		t.Error("a world of -1: no error")
	}
}
