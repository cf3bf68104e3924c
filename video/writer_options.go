package video

import (
	"fmt"
	"slices"
)

// WriterOptions says how a video is coded. Width and Height must be given.
type WriterOptions struct {
	Width, Height int    // pixels, even
	GOP           int    // pictures from one key frame to the next, at most; 0 means 12
	CRF           int    // quality from 1 (nearly lossless) to 51, larger is smaller and worse; 0 means 20
	Threads       int    // of the encoder; 0 means 1. The bytes depend on it
	Preset        string // libx264's: how long it looks for a way to save bytes; "" means "fast"

	FastDecode bool // leave out what is slow to decode: a sixth larger, twice as fast

	codec string // FFmpeg's name of an encoder, for tests
}

const maxGOP = 1 << 16

var presets = []string{"ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo"}

func (o WriterOptions) check() error {
	if o.Width < 2 || o.Height < 2 || o.Width%2 != 0 || o.Height%2 != 0 || o.Width > maxPixels/o.Height {
		return fmt.Errorf("%d x %d pixels: want even sides, at least 2", o.Width, o.Height)
	}
	if o.CRF < 0 || o.CRF > 51 || o.GOP < 0 || o.GOP > maxGOP {
		return fmt.Errorf("CRF %d, GOP %d: want up to 51 and up to %d", o.CRF, o.GOP, maxGOP)
	}
	if o.Preset != "" && !slices.Contains(presets, o.Preset) { // libx264 would complain on stderr
		return fmt.Errorf("preset %q: want one of %v", o.Preset, presets)
	}
	return nil
}
