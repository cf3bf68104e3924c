package config

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

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

// items reads a list, nil where absent.
func (s *section) items(key, want string) list {
	v := s.lookup(key)
	if v == nil {
		return nil
	}
	items, ok := v.data.(list)
	if !ok {
		s.wrong(key, want, v)
	}
	return items
}

// words reads a list of strings, or one string as a list of it; nil where absent.
func (s *section) words(key string) []string {
	v := s.lookup(key)
	if v == nil {
		return nil
	}
	items, ok := v.data.(list)
	if !ok {
		items = list{v}
	}
	words := make([]string, 0, len(items))
	for _, item := range items {
		word, isText := item.data.(string)
		if !isText && item.asText {
			word, isText = item.text, true
		}
		if !isText {
			s.wrong(key, "a list of strings", v)
			return nil
		}
		words = append(words, word)
	}
	return words
}

// bools reads a list of booleans, nil where absent.
func (s *section) bools(key string) []bool {
	const want = "a list of True and False"
	items := s.items(key, want)
	if items == nil {
		return nil
	}
	bools := make([]bool, len(items))
	for i, item := range items {
		b, ok := item.data.(bool)
		if !ok {
			s.wrong(key, want, s.lookup(key))
			return nil
		}
		bools[i] = b
	}
	return bools
}
