package train

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// A bar shows how far an epoch is, in the last line of a terminal.
type bar struct {
	screen io.Writer
	of     string // what is shown: "train epoch 1/100"
	bar    *progressbar.ProgressBar
}

// set shows a batch as done, on a new bar if it is the first of its epoch.
func (b *bar) set(r Report) {
	of := fmt.Sprintf("%s epoch %d/%d", r.Split, r.Epoch, r.Epochs)
	if b.bar == nil || b.of != of {
		b.clear()
		b.of = of
		b.bar = progressbar.NewOptions(r.Batches, progressbar.OptionSetWriter(b.screen), progressbar.OptionSetDescription(of),
			progressbar.OptionShowCount(), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
		b.bar.StartWithoutRender()
	}
	b.bar.Set(r.Batch + 1)
}

// clear frees the line. The next set shows the bar again.
func (b *bar) clear() {
	if b.bar != nil {
		b.bar.Clear()
	}
}
