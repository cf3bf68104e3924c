package train

import (
	"fmt"
	"time"

	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/torch"
)

// Waits is where the time of an epoch went.
type Waits struct {
	Total  time.Duration // the epoch's batches, wall time
	Data   time.Duration // of that, waiting for the loader
	Loader dataset.Times // summed over its goroutines, which work meanwhile
	Reduce torch.ReduceTimes
}

// waitLimit is the share of time that may be lost to waiting before the loader
// counts as what limits.
const waitLimit = 0.05

// Share is the part of the time that was spent waiting for data, 0 to 1.
func (w Waits) Share() float64 {
	if w.Total <= 0 {
		return 0
	}
	return w.Data.Seconds() / w.Total.Seconds()
}

// Limit names the stage that an epoch cannot be faster than: "compute" unless
// the loop waited for data; then the one that the loader spends most time on.
func (w Waits) Limit() string {
	t := w.Loader
	switch {
	case w.Share() < waitLimit:
		return "compute"
	case t.Decode >= t.Transform && t.Decode >= t.Collate:
		return "decode"
	case t.Transform >= t.Collate:
		return "transform"
	}
	return "collate"
}

func (w Waits) String() string {
	t := w.Loader
	text := fmt.Sprintf("waited for data %.1f%% of %.2f sec, limit: %s "+
		"(decode %.2f sec, transform %.2f sec, collate %.2f sec over all workers; compute %.2f sec)",
		w.Share()*100, w.Total.Seconds(), w.Limit(),
		t.Decode.Seconds(), t.Transform.Seconds(), t.Collate.Seconds(), (w.Total - w.Data).Seconds())
	if r := w.Reduce; r.Buckets > 0 {
		text += fmt.Sprintf("; gradients %.1f MB in %d buckets under way %.2f sec, waited for %.2f sec",
			float64(r.Bytes)/1e6, r.Buckets, r.Busy.Seconds(), r.Waited.Seconds())
	}
	return text
}
