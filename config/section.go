package config

import (
	"fmt"
	"slices"
	"strings"
)

// A decoder turns the tree into typed values and gathers what is wrong.
type decoder struct {
	file   string
	root   *value
	errs   []*Error
	unused []string // dotted keys that are accepted and have no effect

	// misfits keep a pipeline from being used, but not the file: one override
	// may leave a crop too large for a use that nobody asks for.
	misfits map[Use]*Error
}

// misfit reports a problem of one pipeline to whoever uses it.
func (d *decoder) misfit(use Use, key, format string, args ...any) {
	d.fail(key, format, args...)
	last := len(d.errs) - 1
	d.misfits[use] = d.errs[last]
	d.errs = d.errs[:last]
}

// failAt reports a problem at a place.
func (d *decoder) failAt(where place, key, format string, args ...any) {
	e := &Error{File: d.file, Line: where.line, Key: key, Msg: fmt.Sprintf(format, args...)}
	if where.override != "" {
		e = &Error{Override: where.override, Key: key, Msg: e.Msg}
	}
	d.errs = append(d.errs, e)
}

// fail reports a problem with a dotted key, at the deepest part of it that is there.
func (d *decoder) fail(key, format string, args ...any) {
	at := d.root
	for part := range strings.SplitSeq(key, ".") {
		next := at.child(part)
		if next == nil {
			break
		}
		at = next
	}
	where := at.where
	if at == d.root {
		where = place{}
	}
	d.failAt(where, key, format, args...)
}

// text is the string at a path of keys, "" where there is none.
func (d *decoder) text(parts ...string) string {
	v := d.root
	for _, part := range parts {
		if v = v.child(part); v == nil {
			return ""
		}
	}
	text, _ := v.data.(string)
	return text
}

// A section reads one mapping. Asking for a key makes it known; done reports
// all others. Values of the wrong type are reported and read as the default, so
// that one mistake gives one error.
type section struct {
	d     *decoder
	path  string
	dict  *dict
	known []string
	bad   map[string]bool // keys already reported

	// foreign: the name is not one of ours, so the options cannot be known.
	foreign bool
}

func (d *decoder) top() *section {
	return &section{d: d, dict: d.root.data.(*dict), bad: map[string]bool{}}
}

func (s *section) join(key string) string {
	if s.path == "" {
		return key
	}
	return s.path + "." + key
}

// lookup returns the value of a key, nil where it is absent or null.
func (s *section) lookup(key string) *value {
	if !slices.Contains(s.known, key) {
		s.known = append(s.known, key)
	}
	v := s.dict.at[key]
	if v == nil || v.data == nil {
		return nil
	}
	return v
}

func (s *section) has(key string) bool { return s.lookup(key) != nil }

func (s *section) fail(key, format string, args ...any) {
	s.bad[key] = true
	s.d.fail(s.join(key), format, args...)
}

// wrong reports a type that does not fit.
func (s *section) wrong(key, want string, v *value) {
	s.bad[key] = true
	s.d.failAt(v.where, s.join(key), "want %s, found %s", want, v.describe())
}

// require reports the keys that are absent.
func (s *section) require(keys ...string) {
	for _, key := range keys {
		if !s.has(key) {
			s.fail(key, "missing")
		}
	}
}

// check reports a value that was given and is out of range.
func (s *section) check(key string, ok bool, want string) {
	if v := s.lookup(key); v != nil && !ok && !s.bad[key] {
		s.wrong(key, want, v)
	}
}

// isSection tells a mapping from the shorter ways of writing an option.
func (s *section) isSection(key string) bool {
	v := s.lookup(key)
	if v == nil {
		return false
	}
	_, ok := v.data.(*dict)
	return ok
}

// section reads a mapping inside this one, nil where it is absent or null.
func (s *section) section(key string) *section {
	v := s.lookup(key)
	if v == nil {
		return nil
	}
	inner, ok := v.data.(*dict)
	if !ok {
		s.wrong(key, "a mapping", v)
		return nil
	}
	return &section{d: s.d, path: s.join(key), dict: inner, bad: map[string]bool{}}
}

// only accepts an option of the reference that we do not have, as long as it
// has a value that changes nothing.
func (s *section) only(key, reason string, harmless ...any) {
	v := s.lookup(key)
	if v == nil {
		return
	}
	for _, h := range harmless {
		if same(v, h) {
			return
		}
	}
	s.fail(key, "%s is not supported: %s", strings.TrimPrefix(v.describe(), "the string "), reason)
}

// same compares a scalar or a list of numbers with a Go value.
func same(v *value, h any) bool {
	switch h := h.(type) {
	case float64:
		f, ok := asFloat(v)
		return ok && f == h
	case []float64:
		items, ok := v.data.(list)
		return ok && slices.EqualFunc(items, h, func(item *value, f float64) bool { return same(item, f) })
	}
	return v.data == h
}

// ignore accepts a key that has no effect here, and remembers that it was given.
func (s *section) ignore(key string) {
	if s.has(key) {
		s.d.unused = append(s.d.unused, s.join(key))
	}
}

// done reports the keys that nobody asked for.
func (s *section) done() {
	if s.foreign {
		return
	}
	for _, key := range s.dict.keys {
		if !slices.Contains(s.known, key) {
			s.d.failAt(s.dict.at[key].where, clip80(s.join(key)), "unknown key; %s", hint(key, s.known))
		}
	}
}
