package torch

// #include "call.h"
import "C"

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// A CollectiveError is a collective that did not come about.
type CollectiveError struct {
	Rank, Size int    // of this process
	What       string // it was for
	Missing    []int  // ranks that did not take part, as far as is known
	Err        error
}

// Error names the rank, what the collective was for, and who is missing.
func (e *CollectiveError) Error() string {
	text := fmt.Sprintf("torch: rank %d of %d: %s: ", e.Rank, e.Size, e.What)
	if len(e.Missing) > 0 {
		text += fmt.Sprintf("no answer from %s: ", ranks(e.Missing))
	}
	return text + e.Err.Error()
}

// ranks is "rank 3" or "ranks 1, 3".
func ranks(n []int) string {
	text := strings.ReplaceAll(strings.Trim(fmt.Sprint(n), "[]"), " ", ", ")
	if len(n) == 1 {
		return "rank " + text
	}
	return "ranks " + text
}

// Unwrap is the cause.
func (e *CollectiveError) Unwrap() error { return e.Err }

// failed is the last word of a rank whose collective failed.
const failed = "a collective of its own failed"

// come notes that the rank comes to a collective.
func (g *Group) come(what string) error {
	if err := g.before(what); err != nil {
		return err
	}
	g.heart.come(what)
	return nil
}

// before is why there is no collective any more; nil if there is.
func (g *Group) before(what string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.failed == nil {
		return nil
	}
	return &CollectiveError{Rank: g.o.Rank, Size: g.o.Size, What: what, Missing: g.failed.Missing, Err: fmt.Errorf("the group has failed before: %w", g.failed.Err)}
}

// fail finds out who is missing when a collective ended with an error; nil for nil.
func (g *Group) fail(what string, err error) error {
	if err == nil {
		return nil
	}
	if err := g.before(what); err != nil {
		return err
	}
	e := g.give(what, clean(err))
	told := g.heart.say(func(b *beat) { b.End = failed })
	w, unread := g.heart.missing()
	g.mu.Lock()
	defer g.mu.Unlock()
	switch e.Missing = w.missing; {
	case told != nil || unread != nil:
		e.Err = fmt.Errorf("%w (and who is missing cannot be told: %w: is rank 0's host there, and the network?)", e.Err, errors.Join(told, unread))
	case len(w.missing) > 0:
		e.Err = fmt.Errorf("%s: %w", w, e.Err)
	}
	return e
}

// give makes err the group's failure.
func (g *Group) give(what string, err error) *CollectiveError {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.failed = &CollectiveError{Rank: g.o.Rank, Size: g.o.Size, What: what, Err: err}
	return g.failed
}

// place is where in Gloo's source an error arose.
var place = regexp.MustCompile(`^\[[^\]]*\.cc:\d+\] `)

// clean takes out what says nothing to a user.
func clean(err error) error {
	if text := place.ReplaceAllString(err.Error(), ""); text != err.Error() {
		return errors.New(text)
	}
	return err
}

// blame is fail for an operator within which a collective may have failed.
func (g *Group) blame(what string, err error) error {
	if err != nil && C.pt_group_broken(g.session.lib.table, g.group) != 0 {
		return g.fail(what, err)
	}
	return err
}
