package check

import (
	"fmt"
	"strings"

	"github.com/pptsn/pptsn/probe"
	"github.com/pptsn/pptsn/video"
)

// judge says what is wrong with a video.
func (r *run) judge(l *list, f *probe.Facts) (found []Finding) {
	say := func(k Kind, format string, a ...any) {
		found = append(found, Finding{Kind: k, Message: fmt.Sprintf(format, a...)})
	}
	if f.Err != nil {
		say(Unreadable, "%s", f.Err.Message)
		return found
	}
	switch faults := damage(f.Faults); {
	case f.Cut != "":
		say(Truncated, "%s; %s decode", f.Cut, frames(f.Frames))
	case f.Faults.Torn:
		say(Truncated, "reading ends in the middle of a frame; %s decode", frames(f.Frames))
	case faults != "":
		say(Damaged, "%s; %s decode", faults, frames(f.Frames))
	}
	if n := f.Faults.Resized; n > 0 {
		say(SizeChange, "%s of another size than the first, to which they are scaled", frames(n))
	}
	switch {
	case f.Frames < r.MinFrames:
		say(TooShort, "%s, fewer than the %d that are wanted", frames(f.Frames), r.MinFrames)
	case f.Frames < l.Segments:
		say(TooShort, "%s for %d segments", frames(f.Frames), l.Segments)
	}
	return append(found, odd(f)...)
}

// damage describes what the decoder complained of; "": nothing.
func damage(f video.Faults) string {
	var parts []string
	if f.Packets > 0 {
		parts = append(parts, fmt.Sprintf("%s refused by the decoder", plural(f.Packets, "packet")))
	}
	if f.Damaged > 0 {
		parts = append(parts, fmt.Sprintf("%s damaged", frames(f.Damaged)))
	}
	return strings.Join(parts, ", ")
}

// odd is what is not wrong, but what other programs trip over.
func odd(f *probe.Facts) (found []Finding) {
	say := func(k Kind, format string, a ...any) {
		found = append(found, Finding{Kind: k, Message: fmt.Sprintf(format, a...)})
	}
	i := f.Info
	if i.Variable {
		say(VariableRate, "frames are not evenly spaced in time; %.3g a second on average", i.FPS)
	}
	if i.Rotation != 0 {
		say(Rotated, "shown turned by %d degrees, as %dx%d", i.Rotation, i.Width, i.Height)
	}
	if i.Interlaced {
		say(Interlaced, "coded as fields: moving edges are combs")
	}
	if i.Untimed {
		say(NoDuration, "the file does not say how long it is")
	}
	if i.Claimed > 0 && i.Claimed != f.Frames {
		say(FrameCountLie, "the header claims %s, %d decode", frames(i.Claimed), f.Frames)
	}
	return found
}

func frames(n int) string { return plural(n, "frame") }

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
