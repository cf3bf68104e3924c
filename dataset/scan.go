package dataset

import (
	"errors"
	"fmt"
	"github.com/pptsn/pptsn/internal/textfile"
	"io"
	"iter"
	"math"
	"strings"
	"unicode"
)

// A Line is one line of a list, as it stands there.
type Line struct {
	N      int    // number, from 1
	Text   string // without its end; only the beginning of one that is too long
	Name   string // path of the video or folder, without prefix and suffix
	Frames int    // pictures of the folder; 0 for a video
	Label  int
}

// Scan reads a list line by line: memory does not depend on its length. A wrong
// line is yielded with a *LineError, N and Text, and reading goes on; any other
// error ends it. File stands for the list in errors.
//
// The rules are those of Open, but labels may have any size and a list without
// lines is no error.
func Scan(r io.Reader, file string, frames bool) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		s := lineScanner{r: r, buf: make([]byte, maxLine+1)}
		if err := s.begin(); err != nil {
			yield(Line{}, fmt.Errorf("%s: %w", file, err))
			return
		}
		for n := 1; ; n++ {
			text, err := s.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(Line{}, fmt.Errorf("%s: %w", file, err))
				return
			}
			e, blank, err := parseRaw(text, frames)
			if blank {
				continue
			}
			l := Line{N: n, Text: text, Name: e.name, Frames: int(e.frames), Label: int(e.label)}
			if err != nil {
				err = &LineError{file, n, err.Error()}
			}
			if !yield(l, err) {
				return
			}
		}
	}
}

// FormatLine is the line, without its end, that Open and Scan read back as these
// values. Frames 0 makes the line of a video. An error says why a name cannot
// stand in a list.
func FormatLine(name string, frames, label int) (string, error) {
	if why := unlistable(name); why != "" {
		return "", fmt.Errorf("%s cannot stand in a list: %s", excerpt(name), why)
	}
	if label < 0 || label > math.MaxInt32 || frames < 0 || frames > math.MaxInt32 {
		return "", fmt.Errorf("%s: label %d, %d frames: want both from 0 to %d", excerpt(name), label, frames, math.MaxInt32)
	}
	line := fmt.Sprintf("%s %d", name, label)
	if frames > 0 {
		line = fmt.Sprintf("%s %d %d", name, frames, label)
	}
	if len(line) > maxLine {
		return "", fmt.Errorf("%s cannot stand in a list: it has %d bytes", excerpt(name), len(name))
	}
	return line, nil
}

// unlistable says what would be lost when the name is read back; "": nothing.
func unlistable(name string) string {
	switch {
	case name == "":
		return "it is empty"
	case strings.ContainsAny(name, "\r\n"):
		return "it has a line break in it"
	case strings.IndexByte(name, 0) >= 0:
		return "it has a zero byte in it"
	case strings.TrimFunc(name, unicode.IsSpace) != name:
		return "a space at its beginning or end would be lost"
	}
	if skip, err := textfile.ByteOrder(name); skip > 0 || err != nil {
		return "it begins like the mark of an encoding"
	}
	return ""
}
