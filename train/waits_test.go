package train

import (
	"testing"
	"time"

	"github.com/pptsn/pptsn/dataset"
)

func TestWaitsNameWhatLimits(t *testing.T) {
	const s = time.Second
	for _, tc := range []struct {
		w     Waits
		limit string
		share float64
	}{
		{Waits{Total: 100 * s, Data: 4 * s, Loader: dataset.Times{Decode: 300 * s}}, "compute", 0.04},
		{Waits{Total: 100 * s, Data: 50 * s, Loader: dataset.Times{Decode: 30 * s, Transform: 20 * s, Collate: 9 * s}}, "decode", 0.5},
		{Waits{Total: 100 * s, Data: 50 * s, Loader: dataset.Times{Decode: 10 * s, Transform: 20 * s, Collate: 9 * s}}, "transform", 0.5},
		{Waits{Total: 100 * s, Data: 5 * s, Loader: dataset.Times{Decode: 1 * s, Transform: 2 * s, Collate: 9 * s}}, "collate", 0.05},
		{Waits{}, "compute", 0},
	} {
		if tc.w.Limit() != tc.limit || tc.w.Share() != tc.share {
			t.Errorf("%+v: %s, %v; want %s, %v", tc.w, tc.w.Limit(), tc.w.Share(), tc.limit, tc.share)
		}
	}
	w := Waits{Total: 80 * s, Data: 2 * s, Loader: dataset.Times{Decode: 20 * s, Transform: 5 * s, Collate: s}}
	const want = "waited for data 2.5% of 80.00 sec, limit: compute " +
		"(decode 20.00 sec, transform 5.00 sec, collate 1.00 sec over all workers; compute 78.00 sec)"
	if w.String() != want {
		t.Errorf("%s\nwant %s", w, want)
	}
}
