package probe

import (
	"errors"
	"fmt"

	"github.com/pptsn/pptsn/video"
)

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

// failure says what an error tells about the file's content; nil if it is about
// something else, such as a disk.
func failure(err error) *Failure {
	for sentinel, kind := range map[error]string{
		video.ErrEmpty: Empty, video.ErrNoVideoStream: NoVideo, video.ErrNoFrames: NoFrames,
	} {
		if errors.Is(err, sentinel) {
			return &Failure{kind, sentinel.Error()}
		}
	}
	var unopened *video.OpenError
	var undecoded *video.DecodeError
	var fault *panicked
	switch {
	case errors.As(err, &unopened) && unopened.Hint != "":
		return &Failure{Unreadable, fmt.Sprintf("%s (%s)", unopened.Msg, unopened.Hint)}
	case errors.As(err, &unopened):
		return &Failure{Unreadable, unopened.Msg}
	case errors.As(err, &undecoded):
		return &Failure{Unreadable, fmt.Sprintf("frame %d: %s", undecoded.Frame, undecoded.Msg)}
	case errors.As(err, &fault):
		return &Failure{Unreadable, fault.Error()}
	}
	return nil
}
