package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Limits on what a file may hold. The reference's files have 5 kB and fewer
// than 300 values; the limits bound what anchors that refer to anchors can
// expand to.
const (
	maxBytes  = 256 << 10
	maxValues = 50_000
)

// readTree parses one YAML document that is a mapping.
func readTree(file string, data []byte) (*value, []*Error) {
	if len(data) > maxBytes {
		return nil, []*Error{{File: file, Msg: fmt.Sprintf("%d bytes: a configuration has at most %d", len(data), maxBytes)}}
	}
	if line, ok := invalidUTF8(data); ok {
		return nil, []*Error{{File: file, Line: line, Msg: "not text in UTF-8"}}
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, []*Error{{File: file, Msg: "empty"}}
	case err != nil:
		return nil, []*Error{syntaxError(file, data, err)}
	}
	if err := dec.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return nil, []*Error{{File: file, Msg: "more than one YAML document"}}
	}
	t := tree{file: file, open: map[*yaml.Node]bool{}}
	root := t.value(doc.Content[0], doc.Content[0].Line, 0)
	if len(t.errs) > 0 {
		return nil, t.errs
	}
	if _, ok := root.data.(*dict); !ok {
		return nil, []*Error{{File: file, Line: root.where.line, Msg: "want sections such as MODEL, found " + root.describe()}}
	}
	return root, nil
}

// invalidUTF8 finds the first line that is not text.
func invalidUTF8(data []byte) (line int, found bool) {
	for text := range bytes.Lines(data) {
		line++
		if !utf8.Valid(text) {
			return line, true
		}
	}
	return 0, false
}

// syntaxError takes the line out of the library's message "yaml: line 3: ...".
func syntaxError(file string, data []byte, err error) *Error {
	e := &Error{File: file, Msg: strings.TrimPrefix(err.Error(), "yaml: ")}
	var line int
	if n, _ := fmt.Sscanf(e.Msg, "line %d:", &line); n == 1 {
		e.Line = line
		_, e.Msg, _ = strings.Cut(e.Msg, ": ")
		lines := bytes.Split(data, []byte("\n"))
		if line <= len(lines) && bytes.Contains(lines[line-1], []byte("\t")) {
			e.Msg += " (this line holds a tab; YAML indents with spaces)"
		}
	}
	return e
}

// A tree turns yaml nodes into values: aliases and merge keys are expanded, so
// that an override changes one place only.
type tree struct {
	file     string
	override string // the text that is read, where it is not a file
	count    int
	open     map[*yaml.Node]bool // nodes being expanded, to find anchors that hold themselves
	errs     []*Error
	full     bool // a limit was hit: say so once
}

func (t *tree) fail(line int, format string, args ...any) {
	t.errs = append(t.errs, &Error{File: t.file, Line: line, Msg: fmt.Sprintf(format, args...)})
}

// value converts a node; line is that of its key, or its own.
func (t *tree) value(n *yaml.Node, line, depth int) *value {
	v := &value{where: place{line: line, override: t.override}}
	t.count++
	switch {
	case t.full:
		return v
	case t.count > maxValues:
		t.full = true
		t.fail(0, "more than %d values after anchors are expanded", maxValues)
		return v
	case depth > maxDepth:
		t.full = true
		t.fail(n.Line, "nested more than %d deep", maxDepth)
		return v
	case t.open[n]:
		t.fail(n.Line, "anchor %s holds itself", n.Anchor)
		return v
	}
	t.open[n] = true
	defer delete(t.open, n)
	switch n.Kind {
	case yaml.AliasNode:
		v = t.value(n.Alias, line, depth)
	case yaml.ScalarNode:
		v = t.scalar(n, v)
	case yaml.SequenceNode:
		t.wantTag(n, "!!seq")
		items := make(list, 0, len(n.Content))
		for _, item := range n.Content {
			items = append(items, t.value(item, item.Line, depth+1))
		}
		v.data = items
	case yaml.MappingNode:
		t.wantTag(n, "!!map")
		v.data = t.mapping(n, depth)
	}
	return v
}

func (t *tree) scalar(n *yaml.Node, v *value) *value {
	t.wantTag(n, "!!str", "!!int", "!!float", "!!bool", "!!null")
	quoted := n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 ||
		n.Style&yaml.TaggedStyle != 0 && n.ShortTag() == "!!str"
	return resolve(n.Value, quoted, v.where)
}

// wantTag refuses explicit tags such as !!python/object.
func (t *tree) wantTag(n *yaml.Node, known ...string) {
	if n.Style&yaml.TaggedStyle == 0 {
		return
	}
	for _, k := range known {
		if n.ShortTag() == k {
			return
		}
	}
	t.fail(n.Line, "tag %s is not supported", clip80(n.Tag))
}

func (t *tree) mapping(n *yaml.Node, depth int) *dict {
	d := newDict()
	var merges []*yaml.Node
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, item := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.ScalarNode && key.Tag == "!!merge" {
			merges = append(merges, item)
			continue
		}
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			t.fail(key.Line, "a key must be a word, not a list or mapping")
			continue
		}
		if first, twice := lines[key.Value]; twice {
			t.fail(n.Content[i].Line, "key %s a second time; the first is on line %d", clip80(key.Value), first)
			continue
		}
		lines[key.Value] = n.Content[i].Line
		d.set(key.Value, t.value(item, n.Content[i].Line, depth+1))
	}
	for _, m := range merges {
		t.merge(d, m, depth)
	}
	return d
}

// merge adds what `<<: *anchor` or `<<: [*a, *b]` brings; keys written in the
// mapping itself, and those of earlier anchors, win.
func (t *tree) merge(d *dict, n *yaml.Node, depth int) {
	v := t.value(n, n.Line, depth+1)
	sources := list{v}
	if several, ok := v.data.(list); ok {
		sources = several
	}
	for _, s := range sources {
		from, ok := s.data.(*dict)
		if !ok {
			if !t.full {
				t.fail(n.Line, "a merge key needs a mapping, found %s", s.describe())
			}
			continue
		}
		for _, key := range from.keys {
			if _, own := d.at[key]; !own {
				d.set(key, from.at[key])
			}
		}
	}
}
