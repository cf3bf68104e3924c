package check

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"os"

	"github.com/pptsn/pptsn/dataset"
)

// A clipLine is a line of a list with the path that it means.
type clipLine struct {
	dataset.Line
	path string
	bad  string // why the line cannot be read; "": it can
}

// scan yields the lines of a list, wrong ones too. An error ends it.
func (l *list) scan() iter.Seq2[clipLine, error] {
	return func(yield func(clipLine, error) bool) {
		f, err := os.Open(l.File)
		if err != nil {
			yield(clipLine{}, err)
			return
		}
		defer f.Close()
		for line, err := range dataset.Scan(f, l.File, l.Frames) {
			c := clipLine{Line: line}
			var wrong *dataset.LineError
			switch {
			case errors.As(err, &wrong):
				c.bad, c.Label = wrong.Msg, -1
			case err != nil:
				yield(clipLine{}, err)
				return
			default:
				c.path = l.path(line.Name)
			}
			if !yield(c, nil) {
				return
			}
		}
	}
}

// countLines is about how many lines a file has.
func countLines(path string) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	n, buf := int64(0), make([]byte, 256<<10)
	for {
		got, err := f.Read(buf)
		n += int64(bytes.Count(buf[:got], []byte{'\n'}))
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// chunked yields the items in slices of n. Its error, if there is one, is put
// into *failed.
func chunked[T any](in iter.Seq2[T, error], n int, failed *error) iter.Seq[[]T] {
	return func(yield func([]T) bool) {
		var held []T
		for item, err := range in {
			if err != nil {
				*failed = err
				return
			}
			if held = append(held, item); len(held) == n {
				if !yield(held) {
					return
				}
				held = nil
			}
		}
		if len(held) > 0 {
			yield(held)
		}
	}
}
