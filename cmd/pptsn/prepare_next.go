package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/prepare"
)

// A nextStep is the command lines that come after lists were made.
type nextStep struct {
	config    string // that fits
	keys      []string
	lists     [3]string // by side of package prepare; "": none
	prefix    string    // folder of the clips; "": the lists have whole paths
	suffix    string
	setSuffix bool // whether the configuration's suffix has to be changed
}

// next prints the commands to go on with.
func (r remarks) next(s nextStep) {
	uses, keys := s.overrides()
	if len(uses) == 0 {
		r.say("no list was written: no clip that is there has a label and a name that can stand in a list")
		return
	}
	check := "pptsn check -c " + shellQuote(s.config)
	if len(uses) < 3 { // the configuration's own lists need not be there
		check += " --use " + strings.Join(uses, ",")
	}
	fmt.Fprintf(r.w, "next:\n  %s%s\n", check, keys)
	if s.lists[prepare.Train] == "" {
		return
	}
	train := "pptsn train -c " + shellQuote(s.config)
	if s.lists[prepare.Val] != "" {
		train += " --validate"
	}
	fmt.Fprintf(r.w, "  %s%s\n", train, keys)
}

// overrides are the -o of both commands, and the uses whose lists they set. A
// test without a list of its own is on the validation's.
func (s nextStep) overrides() (uses []string, text string) {
	var b strings.Builder
	for _, k := range s.keys {
		fmt.Fprintf(&b, " \\\n    -o %s", shellQuote(k))
	}
	for _, u := range []struct {
		use  config.Use
		list string
	}{
		{config.Train, s.lists[prepare.Train]},
		{config.Valid, s.lists[prepare.Val]},
		{config.Test, cmp.Or(s.lists[prepare.Test], s.lists[prepare.Val])},
	} {
		if u.list == "" {
			continue
		}
		uses = append(uses, string(u.use))
		keys := []string{"file_path=" + absolute(u.list)}
		if s.prefix != "" {
			keys = append(keys, "data_prefix="+absolute(s.prefix))
		}
		if s.setSuffix {
			keys = append(keys, "suffix="+s.suffix)
		}
		b.WriteString(" \\\n   ")
		for _, k := range keys {
			fmt.Fprintf(&b, " -o %s", shellQuote("DATASET."+string(u.use)+"."+k))
		}
	}
	return uses, b.String()
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
