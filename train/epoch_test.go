package train

import (
	"slices"
	"testing"

	"github.com/pptsn/pptsn/checkpoint"
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
