package prepare

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/pptsn/pptsn/internal/textfile"
	"github.com/pptsn/pptsn/labels"
)

// ucf101Annotations are the official files: classInd.txt ("1 ApplyEyeMakeup"),
// trainlist01.txt ("ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1") and
// testlist01.txt, the same without the number.
type ucf101Annotations struct {
	names  []string
	labels map[string]int // from 0
	splits []ucf101Split
	odd    []Problem
}

type ucf101Split struct {
	number      int      // from 1
	train, test []string // nil: no file
}

// readUCF101 reads the files of splits 1 to 3 that are there.
func readUCF101(dir string) (*ucf101Annotations, error) {
	file := filepath.Join(dir, "classInd.txt")
	text, err := textfile.Read(file)
	if err != nil {
		return nil, err
	}
	a := &ucf101Annotations{}
	if a.names, a.labels, err = parseClassInd(text); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for n := 1; n <= 3; n++ {
		s := ucf101Split{number: n}
		train, test := fmt.Sprintf("trainlist%02d.txt", n), fmt.Sprintf("testlist%02d.txt", n)
		var inTrain map[string]int
		if s.train, inTrain, err = a.read(filepath.Join(dir, train), nil); err != nil {
			return nil, err
		}
		if s.test, _, err = a.read(filepath.Join(dir, test), inTrain); err != nil {
			return nil, err
		}
		if s.train == nil && s.test == nil {
			continue
		}
		a.splits = append(a.splits, s)
	}
	if len(a.splits) == 0 {
		return nil, fmt.Errorf("%s: no trainlist01.txt, testlist01.txt or the like in it", dir)
	}
	return a, nil
}

func parseClassInd(text string) (names []string, byName map[string]int, err error) {
	if names, err = labels.Parse([]byte(text)); err != nil {
		return nil, nil, err
	}
	byName = map[string]int{}
	for i, name := range names {
		if first, ok := byName[name]; ok {
			return nil, nil, fmt.Errorf("class %s stands for %d and for %d", name, first+1, i+1)
		}
		byName[name] = i
	}
	return names, byName, nil
}

// read reads one list; nil without an error: there is no such file. inTrain are
// the lines of the training list, for the test list of the same split.
func (a *ucf101Annotations) read(file string, inTrain map[string]int) (names []string, seen map[string]int, err error) {
	text, err := textfile.Read(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	names, seen, wrong := a.parse(file, text, inTrain)
	return names, seen, joined(wrong)
}

// parse returns the clips of a list with their lines, and what is wrong in it.
func (a *ucf101Annotations) parse(file, text string, inTrain map[string]int) (names []string, seen map[string]int, wrong []Problem) {
	names, seen = []string{}, map[string]int{}
	for n, line := range lines(text) {
		name, err := a.parseLine(line)
		if err != nil {
			wrong = append(wrong, Problem{file, n, err.Error()})
			continue
		}
		if first, ok := seen[name]; ok {
			a.odd = append(a.odd, Problem{file, n, fmt.Sprintf("%s a second time; the first is on line %d", name, first)})
			continue
		}
		if line, ok := inTrain[name]; ok {
			a.odd = append(a.odd, Problem{file, n, fmt.Sprintf("%s is on line %d of the split's training list too", name, line)})
		}
		seen[name] = n
		names = append(names, name)
	}
	return names, seen, wrong
}

func (a *ucf101Annotations) parseLine(line string) (name string, err error) {
	name, number := line, 0
	if i := strings.LastIndexAny(line, " \t"); i >= 0 {
		if number, err = strconv.Atoi(line[i+1:]); err != nil {
			return "", fmt.Errorf("want Class/v_Class_g01_c01.avi and at most a number, have %s", quoted(line))
		}
		name = strings.TrimSpace(line[:i])
	}
	class, base := path.Split(name)
	class = strings.TrimSuffix(class, "/")
	if class == "" || base == "" || path.Clean(name) != name || path.IsAbs(name) || strings.Contains(class, "/") || class == ".." || listable(name) != nil {
		return "", fmt.Errorf("want Class/v_Class_g01_c01.avi and at most a number, have %s", quoted(line))
	}
	label, ok := a.labels[class]
	if !ok {
		return "", fmt.Errorf("class %s is not in classInd.txt", quoted(class))
	}
	if number != 0 && number != label+1 {
		return "", fmt.Errorf("%s has number %d, but classInd.txt gives %s number %d", name, number, class, label+1)
	}
	return name, nil
}

// clips are all clips once, in the order of the lists.
func (a *ucf101Annotations) clips() []string {
	var out []string
	seen := map[string]bool{}
	for _, s := range a.splits {
		for _, names := range [][]string{s.train, s.test} {
			for _, name := range names {
				if !seen[name] {
					seen[name] = true
					out = append(out, name)
				}
			}
		}
	}
	return out
}
