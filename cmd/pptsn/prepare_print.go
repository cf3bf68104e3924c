package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
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

// A nextStep is the command lines that come after lists were made.
type nextStep struct {
	config     string // configuration that fits; "": the user's own
	keys       []string
	train, val string // lists; "": none
	prefix     string // folder of the clips; "": the lists have whole paths
	suffix     string
	setSuffix  bool // whether the configuration's suffix has to be changed
}

// next prints the commands to go on with.
func (r remarks) next(s nextStep) {
	var b strings.Builder
	for _, k := range s.keys {
		fmt.Fprintf(&b, " \\\n    -o %s", shellQuote(k))
	}
	for _, use := range []struct{ section, list string }{{"train", s.train}, {"valid", s.val}, {"test", s.val}} {
		if use.list == "" {
			continue
		}
		keys := []string{"file_path=" + absolute(use.list)}
		if s.prefix != "" {
			keys = append(keys, "data_prefix="+absolute(s.prefix))
		}
		if s.setSuffix {
			keys = append(keys, "suffix="+s.suffix)
		}
		b.WriteString(" \\\n   ")
		for _, k := range keys {
			fmt.Fprintf(&b, " -o %s", shellQuote("DATASET."+use.section+"."+k))
		}
	}
	fmt.Fprintf(r.w, "next:\n  pptsn check -c %s%s\n  pptsn train --validate -c ... (the same keys)\n", shellQuote(s.config), b.String())
}

// absolute makes a path good from any folder, where that is possible.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// shellQuote is a word as a POSIX shell reads it.
func shellQuote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./=:+,@%", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// printJSON is one value on standard output, indented.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
