package clip

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A Pattern makes the names of a folder's pictures from their numbers. It is
// the reference's key suffix: a Python format string with one integer field,
// such as img_{:05}.jpg, which names img_00001.jpg, img_00002.jpg, ...
type Pattern struct {
	before, after string
	width         int // digits to fill up to with zeros
}

// pythonField is the part of Python's format language that numbers files: an
// optional argument 0, zeros up to a width, the type d.
var pythonField = regexp.MustCompile(`^0?(?::(?:0([0-9]{1,2}))?d?)?$`)

// ParsePattern reads a file name with exactly one field: {}, {:d}, {:05},
// {:05d}, each also with the argument's number as in {0:05}. Doubled braces
// stand for themselves. Everything else that Python allows is an error.
func ParsePattern(s string) (Pattern, error) {
	bad := func(format string, a ...any) (Pattern, error) {
		return Pattern{}, fmt.Errorf("clip: file name pattern %q: %s", s, fmt.Sprintf(format, a...))
	}
	var p Pattern
	var text strings.Builder
	found := false
	for i := 0; i < len(s); i++ {
		switch {
		case strings.ContainsRune(`/\`+"\x00", rune(s[i])):
			return bad("want a file name, not a path")
		case strings.HasPrefix(s[i:], "{{"), strings.HasPrefix(s[i:], "}}"):
			text.WriteByte(s[i])
			i++
		case s[i] == '}':
			return bad("a } without its {")
		case s[i] != '{':
			text.WriteByte(s[i])
		default:
			length := strings.IndexByte(s[i:], '}')
			if length < 0 {
				return bad("a { without its }")
			}
			m := pythonField.FindStringSubmatch(s[i+1 : i+length])
			if m == nil {
				return bad("field %s: want {}, {:d}, {:05} or {:05d}", s[i:i+length+1])
			}
			if found {
				return bad("more than one field")
			}
			found = true
			p.width, _ = strconv.Atoi(m[1]) // digits only, or empty for 0
			p.before = text.String()
			text.Reset()
			i += length
		}
	}
	if !found {
		return bad("no field for the number: want one such as {:05}")
	}
	p.after = text.String()
	return p, nil
}

// Name is the file name of picture n, counted from 1.
func (p Pattern) Name(n int) string {
	return fmt.Sprintf("%s%0*d%s", p.before, p.width, n, p.after)
}

// number is the inverse of Name for numbers from 1 to a billion.
func (p Pattern) number(name string) (int, bool) {
	digits, ok := strings.CutPrefix(name, p.before)
	if !ok {
		return 0, false
	}
	digits, ok = strings.CutSuffix(digits, p.after)
	if !ok || len(digits) > max(9, p.width) {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || p.Name(n) != name {
		return 0, false
	}
	return n, true
}
