package probe

import (
	"context"
	"time"

	"github.com/pptsn/pptsn/frame"
	"github.com/pptsn/pptsn/video"
)

// Facts are what decoding a whole file has shown.
type Facts struct {
	Size     int64    // bytes
	SHA256   [32]byte // of the file's bytes
	Pictures [16]byte // hash over the frames as decoded, in order: equal in copies that differ in their containers only
	Frames   int      // that can be decoded
	Info     video.Info
	Faults   video.Faults
	Cut      string   // what in the container says that bytes are missing at the end; "": nothing does. See Cut
	Err      *Failure // why nothing can be decoded; nil: Frames > 0

	// Thumb is the frame in the middle, scaled to Options.Thumb. It went through
	// JPEG. nil: not asked for, or no frame.
	Thumb *frame.RGB
}

// A Failure says why nothing can be decoded. It does not name the file, which
// may lie elsewhere the next time.
type Failure struct {
	Kind    string // one of the constants below
	Message string
}

func (f *Failure) Error() string { return f.Message }

// Kinds of a Failure.
const (
	Empty      = "empty"      // no bytes
	NoVideo    = "no-video"   // sound alone, for one
	Unreadable = "unreadable" // FFmpeg cannot open it, or gives up
	NoFrames   = "no-frames"  // a video stream of which no frame can be decoded
	Timeout    = "timeout"    // it took longer than Options.Timeout; not remembered
)

// Options says how much is asked for. The zero value will do.
type Options struct {
	Timeout time.Duration // for one file; 0: a minute
	Thumb   int           // long side in pixels of Facts.Thumb, up to MaxThumb; 0: none
}

// MaxThumb is the largest Options.Thumb.
const MaxThumb = 160

// Facts decodes the whole file at path, or remembers what that gave. known says
// which. A nil Cache works and remembers nothing.
//
// What is wrong with the video is in the facts. The error is ctx's, or what the
// operating system says of a file that cannot be read.
func (c *Cache) Facts(ctx context.Context, path string, o Options) (f Facts, known bool, err error) {
	panic("not yet")
}
