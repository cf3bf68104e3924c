package config

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// applyOverride puts one K=V into the tree. K is dotted and names list items by
// index from 0; only the first '=' splits. Mappings that the file lacks are
// made: whether their keys are known shows when the whole is decoded.
func applyOverride(root *value, text string) *Error {
	fail := func(key, format string, args ...any) *Error {
		return &Error{Override: text, Key: key, Msg: fmt.Sprintf(format, args...)}
	}
	path, raw, ok := strings.Cut(text, "=")
	if !ok {
		return fail("", "want KEY=VALUE, for example MODEL.head.num_classes=101")
	}
	parts := strings.Split(path, ".")
	if len(parts) > maxDepth {
		return fail("", "a key of %d parts: at most %d", len(parts), maxDepth)
	}
	at := root
	for i, part := range parts {
		here := strings.Join(parts[:i], ".")
		if part == "" {
			return fail("", "an empty part in the key %q", path)
		}
		last := i == len(parts)-1
		if at.data == nil { // as below "- RandomFlip:"
			at.data = newDict()
		}
		switch data := at.data.(type) {
		case *dict:
			if last {
				data.set(part, overrideValue(raw, text))
			} else if data.at[part] == nil {
				data.set(part, &value{where: place{override: text}, data: newDict()})
			}
		case list:
			k, err := strconv.Atoi(part)
			if err != nil || k < 0 || k >= len(data) {
				return fail(here, "no item %q in a list of %d (they count from 0)", part, len(data))
			}
			if last {
				data[k] = overrideValue(raw, text)
			}
		default:
			return fail(here, "holds %s, which has no %s", at.describe(), part)
		}
		at = at.child(part)
	}
	return nil
}

// overrideValue reads a Python literal or, what Python does not read, YAML on
// one line: [a, b], {a: 1}, yes. The rest is a string.
func overrideValue(raw, override string) *value {
	where := place{override: override}
	if data, ok := parseLiteral(raw, where); ok {
		return &value{where: where, data: data, text: raw, asText: true}
	}
	if v := flow(raw, override); v != nil {
		return v
	}
	v := resolve(raw, false, where)
	v.asText = raw != "" || v.data != nil
	if raw == "" {
		v.data = ""
	}
	return v
}

// flow reads a list or mapping as YAML on one line, nil where raw is none.
func flow(raw, override string) *value {
	trimmed := strings.TrimSpace(raw)
	if len(raw) > maxBytes || !strings.HasPrefix(trimmed, "[") && !strings.HasPrefix(trimmed, "{") {
		return nil
	}
	dec := yaml.NewDecoder(strings.NewReader(raw))
	var doc, rest yaml.Node
	if dec.Decode(&doc) != nil || dec.Decode(&rest) != io.EOF {
		return nil
	}
	t := tree{override: override, open: map[*yaml.Node]bool{}}
	v := t.value(doc.Content[0], 0, 0)
	if len(t.errs) > 0 {
		return nil
	}
	v.text, v.asText = raw, true
	return v
}
