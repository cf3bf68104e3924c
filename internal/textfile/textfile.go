// Package textfile reads lists of clips and annotations, whatever editor wrote
// them.
package textfile

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
)

// most bounds a list, in bytes: the 650 thousand clips of Kinetics-700 take 40 MB.
const most = 256 << 20

// Read reads a list without the mark that editors put before UTF-8. A folder, more
// than 256 MiB and UTF-16 are errors that name the file.
func Read(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if info.IsDir() {
		return "", fmt.Errorf("%s: a folder, not a list", path)
	}
	var b strings.Builder
	if info.Size() <= most {
		b.Grow(int(info.Size()) + 1)
		if _, err := io.Copy(&b, io.LimitReader(f, most+1)); err != nil { // it may be a pipe
			return "", err
		}
	}
	if max(info.Size(), int64(b.Len())) > most {
		return "", fmt.Errorf("%s: more than %d bytes, which no list of clips has", path, most)
	}
	text := b.String()
	skip, err := ByteOrder(text)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return text[skip:], nil
}

// Mark is what editors put before UTF-8.
const Mark = "\ufeff"

// ByteOrder looks at the beginning of a list: skip is the length of the mark
// before UTF-8.
func ByteOrder(head string) (skip int, err error) {
	if strings.HasPrefix(head, Mark) {
		skip = len(Mark)
	}
	if rest := head[skip:]; strings.HasPrefix(rest, "\xff\xfe") || strings.HasPrefix(rest, "\xfe\xff") {
		return 0, errors.New("the list is in UTF-16: save it as UTF-8")
	}
	return skip, nil
}

// Lines yields the lines of a text, numbered from 1, without their ends: \n,
// \r\n or \r, all of which Python takes for one.
func Lines(text string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for n := 1; text != ""; n++ {
			end := strings.IndexAny(text, "\r\n")
			if end < 0 {
				yield(n, text)
				return
			}
			line := text[:end]
			if strings.HasPrefix(text[end:], "\r\n") {
				end++
			}
			text = text[end+1:]
			if !yield(n, line) {
				return
			}
		}
	}
}
