package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// field is a replacement field of Python's str.format that prints one integer
// (https://docs.python.org/3/library/string.html#format-specification-mini-language):
// {}, {:5}, {:05}, {:05d}, {0:05d}, {:0>5}.
var field = regexp.MustCompile(`^0?(?::(?:(0)>)?(0?)([1-9]\d?)?d?)?$`)

// fmtFormat translates a Python format with one integer field for package fmt.
func fmtFormat(python string) (string, error) {
	var b strings.Builder
	fields := 0
	for rest := python; rest != ""; {
		switch {
		case strings.HasPrefix(rest, "{{"), strings.HasPrefix(rest, "}}"):
			b.WriteByte(rest[0])
			rest = rest[2:]
		case rest[0] == '{':
			spec, after, closed := strings.Cut(rest[1:], "}")
			verb, err := verb(spec)
			if err != nil || !closed {
				return "", fmt.Errorf("want a field such as {:05}, found {%s}", spec)
			}
			b.WriteString(verb)
			fields++
			rest = after
		case rest[0] == '}':
			return "", errors.New("a } without {")
		case rest[0] == '%':
			b.WriteString("%%")
			rest = rest[1:]
		default:
			b.WriteByte(rest[0])
			rest = rest[1:]
		}
	}
	if fields != 1 {
		return "", fmt.Errorf("want one field such as {:05} for the number of the frame, found %d", fields)
	}
	return b.String(), nil
}

func verb(spec string) (string, error) {
	m := field.FindStringSubmatch(spec)
	if m == nil {
		return "", errors.New("not a field for an integer")
	}
	zero, width := m[1]+m[2], m[3]
	if zero == "" || width == "" {
		return "%" + width + "d", nil
	}
	return "%0" + width + "d", nil
}
