package probe

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/pptsn/pptsn/video"
)

// format is part of each identity: a change in what the facts mean makes all
// entries unknown.
const format = "pptsn probe 2"

// ends is how much of a file's head and of its tail makes its identity.
const ends = 16 << 10 // bytes

// An Identity stands for a file's content, as far as it can be told without
// reading all of it.
type Identity struct {
	Key  string // 64 hex digits
	Size int64  // bytes
}

// Identify looks at the file at path, which must be a regular one: its size, the
// time of its last change in nanoseconds, 16 KiB at either end. The versions of
// FFmpeg's libraries are in the key too, the path is not: a file that was moved
// is still known.
//
// It cannot see a change in the middle of the file that leaves its size and was
// followed by putting back the time, or fell into the same tick of the file
// system's clock as the last look.
func Identify(path string) (Identity, error) {
	f, info, err := open(path)
	if err != nil {
		return Identity{}, fmt.Errorf("probe: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n%d %d\n", format, video.Versions(), info.Size(), info.ModTime().UnixNano())
	tail := max(info.Size()-ends, 0)
	for _, r := range []*io.SectionReader{
		io.NewSectionReader(f, 0, min(ends, info.Size())),
		io.NewSectionReader(f, tail, info.Size()-tail),
	} {
		if _, err := io.Copy(h, r); err != nil {
			return Identity{}, fmt.Errorf("probe: %w", err)
		}
	}
	return Identity{Key: hex.EncodeToString(h.Sum(nil)), Size: info.Size()}, nil
}

// open opens a regular file. A pipe is refused, without waiting for its writer.
func open(path string) (*os.File, fs.FileInfo, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case info.IsDir():
		err = &fs.PathError{Op: "open", Path: path, Err: syscall.EISDIR}
	case !info.Mode().IsRegular():
		err = &fs.PathError{Op: "open", Path: path, Err: errors.New("not a regular file")}
	default:
		return f, info, nil
	}
	f.Close()
	return nil, nil, err
}
