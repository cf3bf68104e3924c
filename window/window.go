// Package window looks at a long video through windows in time: which frames
// they hold, the network's scores of each in one pass over the file, and the
// segments that follow from the scores.
//
// Times count from the first frame; where the file's time stamps go back they
// stand still here. Window k holds the frames that are shown first in
// [k*stride, k*stride+length), by their time stamps and not by a rate. One without
// such frames, as in a slide show, holds the one that is on the screen at its
// start.
package window

import (
	"fmt"
	"time"
)

// Shortest is the least length and stride.
const Shortest = time.Millisecond

// Options says how a video is cut into windows. Length and Stride must be given.
type Options struct {
	Length time.Duration // of a window
	Stride time.Duration // from a window's start to the next one's; what lies between windows is not looked at
	Batch  int           // windows that the network gets at once; 0 means 1
}

func (o Options) check() error {
	if o.Length < Shortest || o.Stride < Shortest {
		return fmt.Errorf("window: length %v, stride %v: want at least %v", o.Length, o.Stride, Shortest)
	}
	return nil
}

// A Window is a part of a video.
type Window struct {
	Index      int           // from 0
	Of         int           // windows of the video, as far as is known
	Start, End time.Duration // half open; the last ones end with the video
	First      int           // number of the first frame in it
	Frames     int           // how many it holds, at least one
	Chosen     []int         // numbers of the frames that the network sees
}

// after is the number of the first frame behind the window's.
func (w Window) after() int { return w.First + w.Frames }
