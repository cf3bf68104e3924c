package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/pptsn/pptsn/prepare"
)

// shownNames is how many names a remark gives; the report files have all.
const shownNames = 3

// remarks are what prepare says beside its result, one a line.
type remarks struct{ w io.Writer }

func (r remarks) say(format string, args ...any) {
	fmt.Fprint(r.w, printable(fmt.Sprintf("pptsn: "+format+"\n", args...)))
}

// some says how many things are so, with the first few of them. Where names the
// file that has all; it may be "". Nothing is said of none.
func (r remarks) some(thing, so string, items []string, where string) {
	if len(items) == 0 {
		return
	}
	first := strings.Join(items[:min(shownNames, len(items))], ", ")
	r.say("%s %s: %s%s", countOf(len(items), thing), so, strings.ReplaceAll(first, "\t", " "), more(len(items), where))
}

// problems says how many things are so, with the lines of files where they are.
func (r remarks) problems(thing, so string, problems []prepare.Problem) {
	if len(problems) == 0 {
		return
	}
	r.say("%s %s:", countOf(len(problems), thing), so)
	for i, p := range problems {
		if i == 3*shownNames {
			fmt.Fprintf(r.w, "  ... and %d more (--json has all)\n", len(problems)-i)
			return
		}
		fmt.Fprintf(r.w, "  %s\n", printable(p.Error()))
	}
}

func (r remarks) skipped(s prepare.Skipped) {
	if s != (prepare.Skipped{}) {
		r.say("not looked at: %d hidden, %d that by their names are no videos, %s to nowhere or into a loop", s.Hidden, s.Other, countOf(s.Links, "link"))
	}
}

func more(n int, where string) string {
	switch {
	case where != "" && n > shownNames:
		return ", ...; all in " + where
	case n > shownNames:
		return ", ... (--json has all)"
	case where != "":
		return "; also in " + where
	}
	return ""
}

// printJSON is one value on standard output, indented.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
