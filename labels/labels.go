// Package labels reads the names of classes: item i is the name of class i.
//
// Four formats are told apart by their first line:
//
//	archery               one name a line, in order
//	0 archery             index and name; from 0, or from 1 as UCF-101's
//	                      classInd.txt has it; lines in any order
//	0,archery             the same with a comma (CSV, quotes allowed)
//	id,name               such a CSV with its header, as Kinetics has it
package labels

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pptsn/pptsn/configs"
)

// maxBytes bounds a list; Kinetics-700's has 12 kB.
const maxBytes = 16 << 20

// Builtin lists the names that Read knows without a file.
func Builtin() []string { return []string{"kinetics400", "ucf101"} }

// Read reads a file, or a list of Builtin by its name. (A file of such a name
// is meant by ./kinetics400.)
func Read(path string) ([]string, error) {
	data, err := open(path)
	if err != nil {
		return nil, fmt.Errorf("labels: %w", err)
	}
	names, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("labels: %s: %w", path, err)
	}
	return names, nil
}

func open(path string) ([]byte, error) {
	for _, name := range Builtin() {
		if path == name {
			return fs.ReadFile(configs.FS, "labels/"+name+".txt")
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w (built in are %s)", err, strings.Join(Builtin(), ", "))
		}
		return nil, err
	}
	if info.IsDir() {
		return nil, fmt.Errorf("%s: a folder, not a list", path)
	}
	if info.Size() > maxBytes {
		return nil, fmt.Errorf("%s: %d bytes: a list has at most %d", path, info.Size(), maxBytes)
	}
	return os.ReadFile(path)
}

// A line is one that is not blank, with its number from 1.
type line struct {
	number int
	text   string
}

// Parse reads the text of a list.
func Parse(data []byte) ([]string, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("not text in UTF-8")
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	var lines []line
	for i, text := range strings.Split(string(data), "\n") {
		if text = strings.TrimSpace(text); text != "" {
			lines = append(lines, line{i + 1, text})
		}
	}
	if len(lines) == 0 {
		return nil, errors.New("no names")
	}
	first := lines[0].text
	if strings.EqualFold(strings.ReplaceAll(first, " ", ""), "id,name") {
		return indexed(lines[1:], commaSeparated)
	}
	if _, _, err := commaSeparated(first); err == nil {
		return indexed(lines, commaSeparated)
	}
	if _, _, err := spaceSeparated(first); err == nil {
		return indexed(lines, spaceSeparated)
	}
	names := make([]string, len(lines))
	for i, l := range lines {
		names[i] = l.text
	}
	return names, nil
}

// indexed puts names where their indices say: 0..n-1, or 1..n.
func indexed(lines []line, split func(string) (int, string, error)) ([]string, error) {
	n := len(lines)
	if n == 0 {
		return nil, errors.New("no names")
	}
	at := make([]int, n+1) // number of the line that gave an index
	names := make([]string, n+1)
	for _, l := range lines {
		index, name, err := split(l.text)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", l.number, err)
		}
		if index < 0 || index > n {
			return nil, fmt.Errorf("line %d: index %d in a list of %d names", l.number, index, n)
		}
		if at[index] != 0 {
			return nil, fmt.Errorf("line %d: index %d a second time; the first is on line %d", l.number, index, at[index])
		}
		at[index], names[index] = l.number, name
	}
	if at[0] == 0 { // then all of 1..n are there
		return names[1:], nil
	}
	for index, number := range at[:n] {
		if number == 0 {
			return nil, fmt.Errorf("no name for index %d", index)
		}
	}
	return names[:n], nil
}

func spaceSeparated(text string) (int, string, error) {
	fields := strings.Fields(text)
	if len(fields) >= 2 {
		if index, err := strconv.Atoi(fields[0]); err == nil {
			return index, strings.TrimSpace(strings.TrimPrefix(text, fields[0])), nil
		}
	}
	return 0, "", fmt.Errorf("want an index and a name, found %q", shorten(text))
}

func commaSeparated(text string) (int, string, error) {
	id, name, _ := strings.Cut(text, ",")
	index, err := strconv.Atoi(strings.TrimSpace(id))
	name = strings.TrimSpace(name)
	if quoted := strings.TrimSuffix(strings.TrimPrefix(name, `"`), `"`); len(quoted) == len(name)-2 {
		name = strings.TrimSpace(strings.ReplaceAll(quoted, `""`, `"`))
	}
	if err != nil || name == "" {
		return 0, "", fmt.Errorf("want index,name, found %q", shorten(text))
	}
	return index, name, nil
}

func shorten(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "..."
	}
	return s
}
