package dataset

import (
	"errors"
	"fmt"
	"github.com/pptsn/pptsn/internal/textfile"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An entry is a line of the list, kept small: lists have up to a million.
type entry struct {
	name                string // a part of the list's text
	frames, label, line int32
}

// A LineError is a line of a list that is wrong.
type LineError struct {
	File string
	Line int // from 1
	Msg  string
}

func (e *LineError) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg) }

// maxShown is how many wrong lines an error names.
const maxShown = 10

// parseList reads the text of a list.
func parseList(o Options, text string) ([]entry, error) {
	file, classes := o.List, o.Classes
	var entries []entry
	var wrong []error
	more := 0
	top, zero := int32(-1), false // largest label; whether label 0 occurs
	for n, line := range textfile.Lines(text) {
		e, blank, err := parseRaw(line, o.Frames)
		if blank {
			continue
		}
		if err == nil {
			top, zero = max(top, e.label), zero || e.label == 0
			if classes > 0 && int(e.label) >= classes {
				err = fmt.Errorf("label %d is not below num_classes, which is %d", e.label, classes)
			}
		}
		switch {
		case err == nil:
			e.line = int32(n)
			entries = append(entries, e)
		case len(wrong) < maxShown:
			wrong = append(wrong, &LineError{file, n, err.Error()})
		default:
			more++
		}
	}
	if len(wrong) == 0 && len(entries) == 0 {
		return nil, fmt.Errorf("%s: the list is empty: want one clip a line", file)
	}
	if more > 0 {
		wrong = append(wrong, fmt.Errorf("%s: and %d more lines", file, more))
	}
	if classes > 0 && int(top) >= classes {
		wrong = append(wrong, fmt.Errorf("%s: %s", file, classAdvice(int(top), o, zero)))
	}
	return entries, errors.Join(wrong...)
}

func classAdvice(top int, o Options, zero bool) string {
	if top == o.Classes && !zero {
		return "no line has label 0, where labels begin: subtract 1 from all of them"
	}
	return fmt.Sprintf("the largest label is %d: set %s to at least %d, or correct the list", top, o.ClassesKey, top+1)
}

// maxLine bounds a line, in bytes: no system has paths of a quarter of that.
const maxLine = 64 << 10

// parseRaw reads a line without its end, which may be blank.
func parseRaw(line string, frames bool) (e entry, blank bool, err error) {
	if len(line) > maxLine {
		return entry{}, false, fmt.Errorf("more than %d bytes in a line: %s", maxLine, excerpt(line))
	}
	if line = strings.TrimSpace(line); line == "" {
		return entry{}, true, nil
	}
	e, err = parseLine(line, frames)
	return e, false, err
}

// parseLine reads a line that is not blank. The label, and before it the number
// of frames, are its last fields; all before them is the path, spaces included.
func parseLine(line string, frames bool) (entry, error) {
	want, fields := "path label", 1
	if frames {
		want, fields = "dir frames label", 2
	}
	var last [2]string // label, frames
	name := line
	sep := separator(line, fields)
	for i := range fields {
		var ok bool
		if name, last[i], ok = cutLast(name, sep); !ok {
			return entry{}, fmt.Errorf("want %q, have %s", want, excerpt(line))
		}
	}
	e := entry{name: name}
	var err error
	if e.label, err = number("label", last[0], 0); err != nil {
		return entry{}, fmt.Errorf("%w: want %q, have %s", err, want, excerpt(line))
	}
	if frames {
		if e.frames, err = number("number of frames", last[1], 1); err != nil {
			return entry{}, fmt.Errorf("%w: want %q, have %s", err, want, excerpt(line))
		}
	}
	if strings.IndexByte(name, 0) >= 0 {
		return entry{}, fmt.Errorf("a zero byte in the path: %s", excerpt(line))
	}
	return e, nil
}

// separator tells what stands between the fields: white space, as in the
// reference. A comma does only where nothing else can be meant: no white space,
// and as many commas as the format needs.
func separator(line string, n int) func(rune) bool {
	if strings.Count(line, ",") == n && strings.IndexFunc(line, unicode.IsSpace) < 0 {
		return func(r rune) bool { return r == ',' }
	}
	return unicode.IsSpace
}

// cutLast cuts off what follows the last separator.
func cutLast(s string, sep func(rune) bool) (before, last string, ok bool) {
	i := strings.LastIndexFunc(s, sep)
	if i < 0 {
		return "", s, false
	}
	_, width := utf8.DecodeRuneInString(s[i:])
	before, last = strings.TrimRightFunc(s[:i], unicode.IsSpace), s[i+width:]
	return before, last, before != ""
}

func number(what, s string, least int) (int32, error) {
	v, err := strconv.ParseInt(s, 10, 32)
	if err != nil || int(v) < least {
		return 0, fmt.Errorf("%s %s is not an integer from %d to %d", what, excerpt(s), least, math.MaxInt32)
	}
	return int32(v), nil
}

// excerpt quotes the beginning of a text.
func excerpt(s string) string {
	const most = 80
	if len(s) > most {
		return strconv.Quote(s[:most]) + "..."
	}
	return strconv.Quote(s)
}
