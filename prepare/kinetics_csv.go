package prepare

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// A kineticsKey names a clip: a YouTube video and the seconds that are cut out
// of it. Both are -1 for a file that is named after the video alone.
type kineticsKey struct {
	id         [11]byte
	start, end int32
}

// String is the name that the usual scripts give the clip's file.
func (k kineticsKey) String() string {
	if k.start < 0 {
		return string(k.id[:])
	}
	return fmt.Sprintf("%s_%06d_%06d", k.id[:], k.start, k.end)
}

// A kineticsRow is a row of a CSV file.
type kineticsRow struct {
	key   kineticsKey
	label string // "": the file has none, as test.csv
	side  int
	file  int // index of the CSV file
	line  int32
}

var youTubeID = regexp.MustCompile(`^[A-Za-z0-9_-]{11}$`)

// parseKinetics reads a CSV file of Kinetics-400, 600 or 700: a header with
// youtube_id, time_start and time_end; label where labels are published; split.
// Other columns, such as is_cc, do not matter. Rows that cannot be used are
// returned as problems.
func parseKinetics(file, text string, number int) (rows []kineticsRow, bad []Problem, err error) {
	at := []int(nil)
	for n, line := range lines(text) {
		row, err := fields(line)
		if at == nil {
			if err != nil {
				return nil, nil, Problem{file, n, "header: " + err.Error()}
			}
			at = columns(row, "label", "youtube_id", "time_start", "time_end", "split")
			if at[1] < 0 || at[2] < 0 || at[3] < 0 {
				return nil, nil, Problem{file, n, fmt.Sprintf("want a header such as label,youtube_id,time_start,time_end,split, have %s", quoted(line))}
			}
			continue
		}
		var r kineticsRow
		if err == nil {
			r, err = parseKineticsRow(row, at, file)
		}
		if err != nil {
			bad = append(bad, Problem{file, n, err.Error()})
			continue
		}
		r.file, r.line = number, int32(n)
		rows = append(rows, r)
	}
	if at == nil {
		return nil, nil, fmt.Errorf("%s: the file is empty", file)
	}
	return rows, bad, nil
}

func parseKineticsRow(row []string, at []int, file string) (r kineticsRow, err error) {
	id := field(row, at[1])
	if !youTubeID.MatchString(id) {
		return r, fmt.Errorf("youtube_id %s: want 11 letters, digits, - or _", quoted(id))
	}
	copy(r.key.id[:], id)
	if r.key.start, err = seconds("time_start", field(row, at[2])); err != nil {
		return r, err
	}
	if r.key.end, err = seconds("time_end", field(row, at[3])); err != nil {
		return r, err
	}
	if at[0] >= 0 {
		if r.label = field(row, at[0]); r.label == "" {
			return r, errors.New("the label is empty")
		}
	}
	r.side, err = sideOf(field(row, at[4]), file)
	return r, err
}

// seconds reads a time; some files have 10.0 for 10.
func seconds(column, s string) (int32, error) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || v < 0 || v > 1e6 || v != math.Trunc(v) {
		return 0, fmt.Errorf("%s %s: want whole seconds", column, quoted(s))
	}
	return int32(v), nil
}

// sideOf reads the split column or, where it is empty, the name of the file.
func sideOf(split, file string) (int, error) {
	if side, ok := parseSide(split); ok {
		return side, nil
	}
	if split != "" {
		return 0, fmt.Errorf("split %s: want train, validate, val or test", quoted(split))
	}
	name := strings.ToLower(stem(file))
	for side, word := range sideNames {
		if strings.Contains(name, word) {
			return side, nil
		}
	}
	return 0, errors.New("no split: want train, validate, val or test, or a file of such a name")
}

// parseSide reads the name of a split.
func parseSide(s string) (side int, ok bool) {
	switch strings.ToLower(s) {
	case "train", "training":
		return Train, true
	case "val", "valid", "validate", "validation":
		return Val, true
	case "test", "testing":
		return Test, true
	}
	return 0, false
}
