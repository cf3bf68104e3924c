package config

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds how deep lists and mappings nest, here and in YAML.
const maxDepth = 64

// parseLiteral reads a Python literal: None, True, False, numbers, strings,
// lists, tuples (also without parentheses) and dicts with string keys. Anything
// else, expressions above all, is not one: nothing is evaluated.
func parseLiteral(text string, where place) (any, bool) {
	p := literal{rest: strings.TrimSpace(text), where: where}
	item, ok := p.boxed(0)
	items := list{item}
	tuple := false
	for ok && p.take(',') {
		tuple = true
		if p.rest == "" {
			break
		}
		item, ok = p.boxed(0)
		items = append(items, item)
	}
	p.space()
	if !ok || p.rest != "" {
		return nil, false
	}
	if tuple {
		return items, true
	}
	return items[0].data, true
}

type literal struct {
	rest  string
	where place
}

func (p *literal) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// take consumes the byte c after white space.
func (p *literal) take(c byte) bool {
	p.space()
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *literal) value(depth int) (any, bool) {
	p.space()
	if p.rest == "" || depth > maxDepth {
		return nil, false
	}
	switch p.rest[0] {
	case '[':
		p.rest = p.rest[1:]
		items, _, ok := p.items(']', depth)
		return items, ok
	case '(':
		return p.parenthesis(depth)
	case '{':
		return p.dict(depth)
	case '\'', '"':
		return p.string()
	}
	return p.word()
}

func (p *literal) boxed(depth int) (*value, bool) {
	p.space()
	before := p.rest
	data, ok := p.value(depth + 1)
	text := strings.Trim(before[:len(before)-len(p.rest)], " \t\r\n")
	if s, isString := data.(string); isString {
		text = s
	}
	return &value{where: p.where, data: data, text: text}, ok
}

// items reads values up to the closing byte; comma says whether one was there,
// which makes (1,) a tuple and (1) a number.
func (p *literal) items(end byte, depth int) (items list, comma, ok bool) {
	for !p.take(end) {
		if len(items) > 0 {
			if !p.take(',') {
				return nil, false, false
			}
			comma = true
			if p.take(end) {
				break
			}
		}
		item, ok := p.boxed(depth)
		if !ok {
			return nil, false, false
		}
		items = append(items, item)
	}
	return items, comma, true
}

func (p *literal) parenthesis(depth int) (any, bool) {
	p.rest = p.rest[1:]
	items, comma, ok := p.items(')', depth)
	if ok && len(items) == 1 && !comma {
		return items[0].data, true
	}
	return items, ok
}

func (p *literal) dict(depth int) (any, bool) {
	p.rest = p.rest[1:]
	d := newDict()
	for !p.take('}') {
		if len(d.keys) > 0 {
			if !p.take(',') {
				return nil, false
			}
			if p.take('}') {
				break
			}
		}
		key, ok := p.boxed(depth)
		name, isString := key.data.(string)
		if !ok || !isString || !p.take(':') {
			return nil, false
		}
		item, ok := p.boxed(depth)
		if !ok {
			return nil, false
		}
		d.set(name, item)
	}
	return d, true
}

func (p *literal) word() (any, bool) {
	n := strings.IndexAny(p.rest, ",:]})( \t\r\n")
	if n < 0 {
		n = len(p.rest)
	}
	word := p.rest[:n]
	p.rest = p.rest[n:]
	switch word {
	case "None":
		return nil, true
	case "True":
		return true, true
	case "False":
		return false, true
	}
	if leadingZero(word) {
		return nil, false
	}
	return number(word)
}

// string reads '...' or "..." with the escapes that a path may need.
func (p *literal) string() (any, bool) {
	quote := rune(p.rest[0])
	p.rest = p.rest[1:]
	var b strings.Builder
	for p.rest != "" {
		r, size := utf8.DecodeRuneInString(p.rest)
		switch {
		case r == quote:
			p.rest = p.rest[size:]
			return b.String(), true
		case r == '\n':
			return nil, false
		case r == '\\':
			if !p.escape(&b) {
				return nil, false
			}
		default:
			b.WriteString(p.rest[:size])
			p.rest = p.rest[size:]
		}
	}
	return nil, false
}

func (p *literal) escape(b *strings.Builder) bool {
	for _, quote := range []byte{'\'', '"'} {
		if strings.HasPrefix(p.rest, "\\"+string(rune(quote))) {
			b.WriteByte(quote)
			p.rest = p.rest[2:]
			return true
		}
	}
	r, _, rest, err := strconv.UnquoteChar(p.rest, 0)
	if err != nil {
		return false
	}
	b.WriteRune(r)
	p.rest = rest
	return true
}
