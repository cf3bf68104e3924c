package probe

import (
	"time"

	"github.com/pptsn/pptsn/frame"
	"github.com/pptsn/pptsn/video"
)

// Facts are what decoding a whole file has shown.
type Facts struct {
	Size     int64    // bytes; 0 after Timeout
	SHA256   [32]byte // of the file's bytes
	Pictures [16]byte // hash over the frames as decoded, in order: equal in copies that differ in their containers only
	Frames   int      // that can be decoded
	Info     video.Info
	Faults   video.Faults
	Cut      string   // what in the container says that bytes are missing at the end; "": nothing does. See Cut
	Err      *Failure // why nothing can be decoded; nil: Frames > 0

	// Thumb is the frame in the middle, scaled to Options.Thumb. It went through
	// JPEG. nil: not asked for, or no frame.
	Thumb *frame.RGB `json:"-"`
}

// Options says how much is asked for. The zero value will do.
type Options struct {
	Timeout time.Duration // for one file; 0: a minute
	Thumb   int           // long side in pixels of Facts.Thumb, at most MaxThumb; 0: none
}
