package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/pptsn/pptsn/check"
	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/train"
)

// checkLists finds what is wrong with the lists before hours of work: the cheap
// part of pptsn check, without reading a video.
func (t *trainSetup) checkLists(ctx context.Context, _ *train.Job) error {
	if t.noCheck {
		return nil
	}
	o := check.Options{Quick: true, Classes: t.model.Network.Classes}
	o.Names, _ = classNames("", t.cfg, o.Classes) // a help to look at folders, no more
	uses := []config.Use{config.Train}
	if t.validate {
		uses = append(uses, config.Valid)
	}
	var found listFindings
	for _, use := range uses {
		data, err := t.cfg.Data(use)
		if err != nil {
			return err
		}
		o.Lists = append(o.Lists, checkList(t.cfg, use, data))
	}
	o.Each = found.add
	summary, err := check.Run(ctx, o)
	if err != nil {
		return err
	}
	return t.judge(&found, summary)
}

// listFindings are those that matter to a run, a few of each in words.
type listFindings struct {
	absent   map[string]*fewLines // by use
	leaks    fewLines
	warnings fewLines
}

// fewLines counts lines and keeps the first.
type fewLines struct {
	first []string
	n     int64
}

func (l *fewLines) add(most int, text string) {
	if l.n++; len(l.first) < most {
		l.first = append(l.first, "  "+text)
	}
}

// String is the lines, one below the other.
func (l *fewLines) String() string {
	text := strings.Join(l.first, "\n")
	if more := l.n - int64(len(l.first)); more > 0 {
		text += fmt.Sprintf("\n  and %d more", more)
	}
	return text
}

func (l *listFindings) add(f check.Finding) {
	const few, some = 5, 9 // with "and N more" ten lines
	switch f.Kind {
	case check.Missing, check.Unreadable, check.MissingFrames:
		if l.absent == nil {
			l.absent = map[string]*fewLines{}
		}
		if l.absent[f.Use] == nil {
			l.absent[f.Use] = &fewLines{}
		}
		l.absent[f.Use].add(few, fmt.Sprintf("line %d: %s: %s", f.Line, f.Path, f.Message))
	case check.Leak:
		l.leaks.add(few, fmt.Sprintf("line %d: %s: %s", f.Line, f.Name, f.Message))
	case check.Imbalance:
	default:
		l.warnings.add(some, findingLine(f))
	}
}

// judge refuses lists with which a run would fail or its figures be wrong, and
// warns of what else there is.
func (t *trainSetup) judge(found *listFindings, s *check.Summary) error {
	for _, l := range s.Lists {
		absent := found.absent[l.Use]
		if absent == nil {
			continue
		}
		text := fmt.Sprintf("%d of %d clips of DATASET.%s are not there or empty:\n%s", absent.n, l.Lines, l.Use, absent)
		if l.Use == check.Train && float64(absent.n) > t.maxBad*float64(l.Lines) {
			return fmt.Errorf("%s\nset DATASET.%s.data_prefix to their folder, mend the list, or raise --max-bad", text, l.Use)
		}
		fmt.Fprintf(t.err, "pptsn: %s\n", text)
	}
	if leaks := &found.leaks; leaks.n > 0 {
		text := fmt.Sprintf("DATASET.valid has %s of DATASET.train, so that its accuracy would say little:\n%s", countOf(leaks.n, "clip"), leaks)
		if !t.allowLeak {
			return fmt.Errorf("%s\ntake them out (pptsn check -c %s writes such a list), or say --allow-leak", text, t.config)
		}
		fmt.Fprintf(t.err, "pptsn: %s\n", text)
	}
	if w := &found.warnings; w.n > 0 {
		fmt.Fprintf(t.err, "pptsn: the lists may have mistakes (pptsn check tells more):\n%s\n", w)
	}
	return nil
}
