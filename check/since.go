package check

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// sinceLast compares with clips.jsonl of the last check.
func (r *run) sinceLast() error {
	known, err := r.readLast()
	if err != nil || !known {
		return err
	}
	contents := &sorter{dir: r.work} // by content: the old places of it, and the lines that have it now
	defer contents.close()
	var old, now record
	look := func(n record) error {
		if n.at.list == before {
			old = n
		} else if now.at.line == 0 {
			now = n
		}
		return nil
	}
	tell := func(n record) error {
		switch {
		case n.at.list == before: // where its content was
			return contents.add(record{key: old.also, at: n.at, twin: now.at})
		case old.at.line != 0 && n.also != old.also:
			return contents.add(record{key: n.also, at: n.at})
		}
		return nil
	}
	if err := r.seen.eachGroup(func() { old, now = record{}, record{} }, look, tell); err != nil {
		return err
	}
	var was record
	return contents.eachGroup(func() { was = record{} }, func(n record) error {
		if n.at.list == before && n.twin.line != 0 && was.at.line == 0 {
			was = n
		}
		return nil
	}, func(n record) error {
		switch {
		case n.at.list == before:
			return nil
		case was.at.line != 0:
			return r.late.add(record{at: n.at, twin: was.twin, code: isSwapped})
		}
		return r.late.add(record{at: n.at, code: isChanged})
	})
}

// readLast adds the records of clips.jsonl. A file that does not read as such is
// passed over: it is only a memory.
func (r *run) readLast() (known bool, err error) {
	if r.Dir == "" {
		return false, nil
	}
	f, err := os.Open(filepath.Join(r.Dir, clipsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for n := uint32(1); s.Scan(); n++ {
		var c clipFacts
		if json.Unmarshal(s.Bytes(), &c) != nil {
			continue
		}
		b, err := hex.DecodeString(c.content())
		if err != nil || len(b) < 16 {
			continue
		}
		if err := r.seen.add(record{key: hash(r.absolute(c.Path)), at: place{before, n}, also: key(b[:16])}); err != nil {
			return false, err
		}
		known = true
	}
	return known, nil
}

// content is what a clip is known by, in hexadecimal.
func (c *clipFacts) content() string {
	if c.SHA256 != "" {
		return c.SHA256
	}
	return c.Pictures
}
