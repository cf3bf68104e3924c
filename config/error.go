package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// An Error is one thing wrong with a configuration file or an override. All
// that is wrong is reported at once: Load and Parse return a joined error whose
// parts are *Error (see errors.As and the method Unwrap() []error).
type Error struct {
	File     string // name given to Load or Parse
	Line     int    // counted from 1; 0 where no line is to blame
	Override string // the text K=V that is to blame, instead of a line
	Key      string // dotted, e.g. MODEL.head.num_classes; list items by index
	Msg      string
}

func (e *Error) Error() string {
	var b strings.Builder
	switch {
	case e.Override != "":
		fmt.Fprintf(&b, "override %q: ", e.Override)
	case e.Line > 0:
		fmt.Fprintf(&b, "%s:%d: ", e.File, e.Line)
	default:
		fmt.Fprintf(&b, "%s: ", e.File)
	}
	if e.Key != "" {
		b.WriteString(e.Key + ": ")
	}
	b.WriteString(e.Msg)
	return b.String()
}

// maxErrors are shown; a file with more is no configuration.
const maxErrors = 100

// join puts the errors in the order of the file's lines, those of overrides last.
func join(errs []*Error) error {
	slices.SortStableFunc(errs, func(a, b *Error) int {
		if a.Override != "" || b.Override != "" {
			return cmp.Compare(min(len(a.Override), 1), min(len(b.Override), 1))
		}
		return cmp.Compare(a.Line, b.Line)
	})
	if more := len(errs) - maxErrors; more > 0 {
		errs = append(errs[:maxErrors:maxErrors], &Error{File: errs[0].File, Msg: fmt.Sprintf("and %d more", more)})
	}
	plain := make([]error, len(errs))
	for i, e := range errs {
		plain[i] = e
	}
	return errors.Join(plain...)
}
