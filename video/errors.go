package video

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"unicode/utf8"
)

// What is wrong with a file that could be opened. They come wrapped, with the
// file's path.
var (
	ErrEmpty         = errors.New("the file is empty")
	ErrNoVideoStream = errors.New("no video stream") // sound alone, with or without cover art
	ErrNoFrames      = errors.New("no frame can be decoded")
)

// An OpenError reports a file that FFmpeg cannot open as a video.
type OpenError struct {
	Path string
	Msg  string // FFmpeg's words
	Hint string // what the file probably is instead; may be empty
}

func (e *OpenError) Error() string {
	s := fmt.Sprintf("video: open %s: %s", e.Path, e.Msg)
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

// A DecodeError reports a frame that cannot be had although the file was opened.
type DecodeError struct {
	Path  string
	Frame int // about where
	Msg   string
}

func (e *DecodeError) Error() string {
	return fmt.Sprintf("video: %s: frame %d: %s", e.Path, e.Frame, e.Msg)
}

// A LenError reports that a file holds another number of frames than it
// promised. Its Len is right from now on: choose frames again.
type LenError struct {
	Path    string
	Was, Is int // Len before and after
}

func (e *LenError) Error() string {
	return fmt.Sprintf("video: %s: holds %d frames, not %d as its packets promise", e.Path, e.Is, e.Was)
}

// An IndexError reports a frame number that the file does not have.
type IndexError struct {
	Path       string
	Index, Len int
}

func (e *IndexError) Error() string {
	return fmt.Sprintf("video: %s: frame %d of %d", e.Path, e.Index, e.Len)
}

// readable checks that path is a regular file that can be read, and returns
// its size in bytes.
func readable(path string) (int64, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe without a writer would block
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return 0, err
	case info.IsDir():
		return 0, &fs.PathError{Op: "open", Path: path, Err: syscall.EISDIR}
	case !info.Mode().IsRegular():
		return 0, &fs.PathError{Op: "open", Path: path, Err: errors.New("not a regular file")}
	case info.Size() == 0:
		return 0, fmt.Errorf("open %s: %w", path, ErrEmpty)
	}
	return info.Size(), nil
}

// openError turns a failure to open into the error that callers see.
func (f *File) openError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("video: open %s: %w", f.path, ctx.Err())
	}
	var c *failure
	if !errors.As(err, &c) {
		return &OpenError{Path: f.path, Msg: err.Error()}
	}
	switch {
	case c.noStream():
		return fmt.Errorf("video: open %s: %w", f.path, ErrNoVideoStream)
	case c.isText():
		return &OpenError{Path: f.path, Msg: "it holds text", Hint: hint(f.path, "")}
	}
	return &OpenError{Path: f.path, Msg: c.text, Hint: hint(f.path, c.text)}
}

func (f *File) decodeError(ctx context.Context, n int, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("video: %s: %w", f.path, ctx.Err())
	}
	return &DecodeError{Path: f.path, Frame: n, Msg: err.Error()}
}

// hint guesses from a file's first bytes why FFmpeg refused it.
func hint(path, msg string) string {
	head := make([]byte, 512)
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	n, _ := io.ReadFull(f, head)
	head = head[:n]
	switch {
	case bytes.HasPrefix(head, []byte("version https://git-lfs.github.com/spec/")):
		return "a Git LFS pointer in place of the video: fetch it with git lfs pull"
	case isText(head):
		return "not a video file but text"
	case strings.Contains(msg, "moov atom not found") && isBox(head):
		return "the file is truncated or still being written"
	}
	return ""
}

// isBox reports whether a file begins as MP4 and QuickTime files do.
func isBox(head []byte) bool {
	if len(head) < 8 {
		return false
	}
	switch string(head[4:8]) {
	case "ftyp", "mdat", "wide", "free", "skip", "pnot", "moov", "styp":
		return true
	}
	return false
}

// isText reports whether the first bytes of a file read as UTF-8 text.
func isText(head []byte) bool {
	for len(head) > 0 {
		r, n := utf8.DecodeRune(head)
		if r == utf8.RuneError && n == 1 && len(head) >= utf8.UTFMax {
			return false
		}
		if r < ' ' && !strings.ContainsRune("\t\n\r\f\x1b", r) {
			return false
		}
		head = head[n:]
	}
	return true
}
