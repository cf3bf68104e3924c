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

func (r remarks) say(format string, args ...any) { fmt.Fprintf(r.w, "pptsn: "+format+"\n", args...) }

// some says that there are items of a kind, with the first few of them. Where
// names the file that has all; it may be "". Nothing is said of none.
func (r remarks) some(what string, items []string, where string) {
	if len(items) == 0 {
		return
	}
	first := strings.Join(items[:min(shownNames, len(items))], ", ")
	r.say("%d %s: %s%s", len(items), what, strings.ReplaceAll(first, "\t", " "), more(len(items), where))
}

// problems names lines of files.
func (r remarks) problems(what string, problems []prepare.Problem) {
	if len(problems) == 0 {
		return
	}
	r.say("%d %s:", len(problems), what)
	for i, p := range problems {
		if i == 3*shownNames {
			fmt.Fprintf(r.w, "  ... and %d more (--json has all)\n", len(problems)-i)
			return
		}
		fmt.Fprintf(r.w, "  %s\n", p.Error())
	}
}

func (r remarks) skipped(s prepare.Skipped) {
	if s != (prepare.Skipped{}) {
		r.say("not looked at: %d hidden files and folders, %d files that are no videos by their names, %d links that lead nowhere or into a loop", s.Hidden, s.Other, s.Links)
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
