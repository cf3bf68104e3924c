package check

import (
	"encoding/json"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pptsn/pptsn/atomicfile"
)

// The files in Options.Dir, besides the clean lists.
const (
	badFile     = "bad.jsonl"         // findings
	partialFile = "bad.jsonl.partial" // findings of a check that was interrupted
	clipsFile   = "clips.jsonl"       // what each clip is known by; for the next check
	summaryFile = "summary.json"
	pageFile    = "index.html"
)

// write puts all files at their places, or none.
func (r *run) write() (err error) {
	if r.Dir == "" {
		return nil
	}
	var ready []*atomicfile.Pending
	defer func() {
		for _, p := range ready {
			p.Discard()
		}
	}()
	prepare := func(name string, fill func(io.Writer) error) {
		if err != nil {
			return
		}
		var p *atomicfile.Pending
		if p, err = atomicfile.Prepare(filepath.Join(r.Dir, name), fill); err == nil {
			ready = append(ready, p)
		}
	}
	for i, name := range r.cleanNames() {
		r.summary.Lists[i].Clean = filepath.Join(r.Dir, name)
		prepare(name, r.lists[i].clean.copyTo)
	}
	prepare(badFile, r.findings.copyTo)
	if !r.Quick {
		prepare(clipsFile, r.clips.copyTo)
	}
	prepare(pageFile, r.page)
	prepare(summaryFile, r.summary.Write)
	if err != nil {
		return err
	}
	for _, p := range ready {
		if err := p.Commit(); err != nil {
			return err
		}
	}
	return nil
}

// Write writes the summary as JSON.
func (s *Summary) Write(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(s)
}

// cleanNames are the names of the clean lists. Two lists of one name get their
// uses added.
func (r *run) cleanNames() (names []string) {
	for _, l := range r.lists {
		base := filepath.Base(l.File)
		stem := strings.TrimSuffix(base, filepath.Ext(base))
		name := stem + ".clean.list"
		for use := l.Use; slices.Contains(names, name); use += "+" {
			name = stem + "." + use + ".clean.list"
		}
		names = append(names, name)
	}
	return names
}
