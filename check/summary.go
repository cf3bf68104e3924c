package check

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/pptsn/pptsn/video"
)

// A Summary is what a check came to.
type Summary struct {
	Start   bool   `json:"start"`   // whether training should start
	Verdict string `json:"verdict"` // the same in words

	Errors   int64 `json:"errors"`
	Warnings int64 `json:"warnings"`
	Notes    int64 `json:"notes"`

	Kinds []KindCount   `json:"kinds"` // errors first
	Lists []ListSummary `json:"lists"`

	Quick      bool      `json:"quick"`      // no file was opened
	Decoded    int64     `json:"decoded"`    // clips that were decoded now
	Remembered int64     `json:"remembered"` // clips that the cache knew
	Bytes      int64     `json:"bytes"`      // of the clips
	Remarks    []string  `json:"remarks,omitempty"`
	Began      time.Time `json:"began"`
	Seconds    float64   `json:"seconds"` // that the check took
	Versions   string    `json:"versions"`
}

// A KindCount is how many findings of a kind there are.
type KindCount struct {
	Level Level     `json:"level"`
	Kind  Kind      `json:"kind"`
	Count int64     `json:"count"`
	First []Finding `json:"first"` // at most maxFirst
}

const maxFirst = 3

// A ListSummary is one list in figures.
type ListSummary struct {
	Use     string       `json:"use"`
	List    string       `json:"list"`
	Clean   string       `json:"clean,omitempty"` // file of the clean list
	Lines   int64        `json:"lines"`           // that are not blank
	Good    int64        `json:"good"`            // of them, in the clean list
	Frames  int64        `json:"frames"`          // that decode; 0 after the cheap pass alone
	Hours   float64      `json:"hours"`           // of videos
	Classes []ClassCount `json:"classes"`         // at most 100000
}

// A ClassCount is how many clips of a class a list has.
type ClassCount struct {
	Label int    `json:"label"`
	Name  string `json:"name,omitempty"`
	Clips int64  `json:"clips"`
	Good  int64  `json:"good"`
}

func (s *Summary) count(f Finding) {
	switch f.Level {
	case Error:
		s.Errors++
	case Warning:
		s.Warnings++
	default:
		s.Notes++
	}
	i := slices.IndexFunc(s.Kinds, func(k KindCount) bool { return k.Kind == f.Kind && k.Level == f.Level })
	if i < 0 {
		i = len(s.Kinds)
		s.Kinds = append(s.Kinds, KindCount{Level: f.Level, Kind: f.Kind})
	}
	k := &s.Kinds[i]
	if k.Count++; len(k.First) < maxFirst {
		k.First = append(k.First, f)
	}
}

// conclude fills in what follows from the findings.
func (r *run) conclude() {
	s := &r.summary
	slices.SortStableFunc(s.Kinds, func(a, b KindCount) int {
		return cmp.Or(cmp.Compare(a.Level.rank(), b.Level.rank()), -cmp.Compare(a.Count, b.Count), cmp.Compare(a.Kind, b.Kind))
	})
	for _, l := range r.lists {
		s.Lists = append(s.Lists, r.summarize(l))
	}
	s.Start = s.Errors == 0 && !(r.Strict && s.Warnings > 0)
	s.Verdict = s.verdict(r.Strict)
	s.Quick, s.Began, s.Versions = r.Quick, r.begun.UTC().Truncate(time.Second), video.Versions()
	if r.folders.full {
		s.Remarks = append(s.Remarks, fmt.Sprintf("more than %d folders: labels were compared with those of the first ones alone", maxFolders))
	}
	if err := r.Cache.Err(); err != nil {
		s.Remarks = append(s.Remarks, err.Error())
	}
	s.Seconds = math.Round(time.Since(r.begun).Seconds()*1000) / 1000
}

func (s *Summary) verdict(strict bool) string {
	switch {
	case s.Errors > 0:
		return fmt.Sprintf("training should not start: %s", plural(int(s.Errors), "error"))
	case strict && s.Warnings > 0:
		return fmt.Sprintf("training should not start: %s, and --strict", plural(int(s.Warnings), "warning"))
	case s.Warnings > 0:
		return fmt.Sprintf("training may start: %s", plural(int(s.Warnings), "warning"))
	}
	return "training may start"
}

func (r *run) summarize(l *list) ListSummary {
	s := ListSummary{Use: l.Use, List: l.File, Lines: l.lines, Good: l.good, Frames: l.frames, Hours: math.Round(l.seconds/3.6) / 1000}
	top := l.classes.inRange(r.Classes)
	for label := range top {
		s.Classes = append(s.Classes, r.counted(l, label))
	}
	var beyond []int
	for label := range l.classes {
		if label >= top {
			beyond = append(beyond, label)
		}
	}
	slices.Sort(beyond)
	for _, label := range beyond {
		s.Classes = append(s.Classes, r.counted(l, label))
	}
	return s
}

func (r *run) counted(l *list, label int) ClassCount {
	c := ClassCount{Label: label}
	if label < len(r.Names) {
		c.Name = r.Names[label]
	}
	if n := l.classes[label]; n != nil {
		c.Clips, c.Good = n.lines, n.good
	}
	return c
}
