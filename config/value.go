package config

import (
	"fmt"
	"strconv"
)

// A value is what Python would hold after reading the file: nil, bool, int64,
// float64, string, list or *dict, with the place where it was written.
type value struct {
	where  place
	data   any
	text   string // a scalar as it was written, without quotes
	asText bool   // a scalar that may serve as a string whatever it looks like: it was quoted, or an override
}

// A place is a line of the file, or the override that wrote the value.
type place struct {
	line     int
	override string
}

type list []*value

// A dict keeps the order of its keys, so that errors come in that order.
type dict struct {
	keys []string
	at   map[string]*value
}

func newDict() *dict { return &dict{at: map[string]*value{}} }

func (d *dict) set(key string, v *value) {
	if _, ok := d.at[key]; !ok {
		d.keys = append(d.keys, key)
	}
	d.at[key] = v
}

// child is the item of a mapping or list that one part of a dotted path names.
func (v *value) child(part string) *value {
	switch data := v.data.(type) {
	case *dict:
		return data.at[part]
	case list:
		if i, err := strconv.Atoi(part); err == nil && i >= 0 && i < len(data) {
			return data[i]
		}
	}
	return nil
}

// describe names a value in a message: "the string "x"", "a list".
func (v *value) describe() string {
	switch data := v.data.(type) {
	case nil:
		return "nothing"
	case string:
		return fmt.Sprintf("the string %q", clip80(data))
	case list:
		return fmt.Sprintf("a list of %d", len(data))
	case *dict:
		return "a mapping"
	case bool:
		if data {
			return "True"
		}
		return "False"
	}
	return fmt.Sprint(v.data)
}

// clip80 keeps a message readable whatever the file holds.
func clip80(s string) string {
	if r := []rune(s); len(r) > 80 {
		return string(r[:80]) + "..."
	}
	return s
}
