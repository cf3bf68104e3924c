package config

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// A decoder turns the tree into typed values and gathers what is wrong.
type decoder struct {
	file   string
	root   *value
	errs   []*Error
	unused []string // dotted keys that are accepted and have no effect
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

func (s *section) int(key string, otherwise int) int {
	v := s.lookup(key)
	if v == nil {
		return otherwise
	}
	i, ok := v.data.(int64)
	if !ok || i != int64(int(i)) {
		s.wrong(key, "an integer", v)
		return otherwise
	}
	return int(i)
}

// intWithin reads an integer from lo to hi, both included.
func (s *section) intWithin(key string, otherwise, lo, hi int) int {
	i := s.int(key, otherwise)
	s.check(key, lo <= i && i <= hi, fmt.Sprintf("%d to %d", lo, hi))
	return i
}

func asFloat(v *value) (float64, bool) {
	switch x := v.data.(type) {
	case int64:
		return float64(x), true
	case float64:
		return x, !math.IsNaN(x) && !math.IsInf(x, 0)
	}
	return 0, false
}

func (s *section) float(key string, otherwise float64) float64 {
	v := s.lookup(key)
	if v == nil {
		return otherwise
	}
	f, ok := asFloat(v)
	if !ok {
		s.wrong(key, "a number", v)
		return otherwise
	}
	return f
}

// positive reads a number above 0.
func (s *section) positive(key string, otherwise float64) float64 {
	f := s.float(key, otherwise)
	s.check(key, f > 0, "a number above 0")
	return f
}

// share reads a number in [0, 1).
func (s *section) share(key string, otherwise float64) float64 {
	f := s.float(key, otherwise)
	s.check(key, f >= 0 && f < 1, "a number from 0 to below 1")
	return f
}

func (s *section) bool(key string, otherwise bool) bool {
	v := s.lookup(key)
	if v == nil {
		return otherwise
	}
	b, ok := v.data.(bool)
	if !ok {
		s.wrong(key, "True or False", v)
		return otherwise
	}
	return b
}

func (s *section) string(key, otherwise string) string {
	v := s.lookup(key)
	if v == nil {
		return otherwise
	}
	if text, ok := v.data.(string); ok {
		return text
	}
	if v.asText { // "2024" in quotes is a path, whatever Python makes of it
		return v.text
	}
	s.wrong(key, "a string", v)
	return otherwise
}

// oneOf reads one of some words.
func (s *section) oneOf(key, otherwise string, choices ...string) string {
	word := s.string(key, otherwise)
	if word != otherwise && !slices.Contains(choices, word) && !s.bad[key] {
		s.fail(key, "%s", unsupported(word, choices))
		s.foreign = s.foreign || key == "name" || key == "format"
		return otherwise
	}
	return word
}

// unsupported says that a word is none of the choices. It names no nearest
// one: TSMHead is another network, not a slip for TSNHead.
func unsupported(word string, choices []string) string {
	n := len(choices) - 1
	want := choices[n]
	if n > 0 {
		want = strings.Join(choices[:n], ", ") + " or " + want
	}
	return fmt.Sprintf("%s is not supported: want %s", clip80(word), want)
}

// floats reads a list of numbers, nil where absent.
func (s *section) floats(key string) []float64 {
	v := s.lookup(key)
	if v == nil {
		return nil
	}
	items, ok := v.data.(list)
	numbers := make([]float64, 0, len(items))
	for _, item := range items {
		f, isNumber := asFloat(item)
		ok = ok && isNumber
		numbers = append(numbers, f)
	}
	if !ok {
		s.wrong(key, "a list of numbers", v)
		return nil
	}
	return numbers
}

// ints reads a list of integers, nil where absent.
func (s *section) ints(key string) []int {
	numbers := s.floats(key)
	if numbers == nil {
		return nil
	}
	ints := make([]int, 0, len(numbers))
	for _, f := range numbers {
		if f != math.Trunc(f) || math.Abs(f) > 1<<31 {
			s.wrong(key, "a list of integers", s.lookup(key))
			return nil
		}
		ints = append(ints, int(f))
	}
	return ints
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
