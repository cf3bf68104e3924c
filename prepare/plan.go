package prepare

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pptsn/pptsn/dataset"
)

// A Source is a video of which frames or a compact copy are made.
type Source struct {
	Path string // of the video
	Name string // of what is made, below the output folder: with forward slashes and without extension
}

// A Plan is the videos that lists or a folder name, each once.
type Plan struct {
	Sources []Source
	lists   []planned
}

// A planned is a list as it was read; it is written again with what was made.
type planned struct {
	file string
	rows []planRow
}

type planRow struct{ source, label int32 }

// PlanLists reads lists of videos, "path label" a line. What is made of a video
// is named as the list names it, below the prefix. Two lists with one name but for
// folder and extension, names outside of the prefix, and two videos of which the
// same would be made are errors.
func PlanLists(lists []string, o dataset.Options) (*Plan, error) {
	p := newPlanner(o.Prefix)
	stems := map[string]string{}
	for _, list := range lists {
		s := stem(filepath.ToSlash(list))
		if other, twice := stems[s]; twice {
			return nil, fmt.Errorf("%s and %s would both be written as %s: rename one", other, list, s)
		}
		stems[s] = list
		if err := p.list(list, o); err != nil {
			return nil, err
		}
	}
	return &p.plan, nil
}

// PlanFolder finds the videos below a folder. The folder out and what is in it
// is left aside.
func PlanFolder(ctx context.Context, dir, out string) (*Plan, error) {
	p := newPlanner(dir)
	own, _ := os.Stat(out)
	if root, err := os.Stat(dir); err == nil && own != nil && os.SameFile(root, own) {
		return nil, fmt.Errorf("%s: what is made would lie among the videos: choose another folder with -o", out)
	}
	var wrong error
	w := walker{ctx: ctx, root: dir, skipped: &Skipped{}}
	w.video = func(rel string) {
		if _, err := p.add(filepath.Join(dir, filepath.FromSlash(rel))); err != nil && wrong == nil {
			wrong = err
		}
	}
	w.folder = func(rel string) bool {
		info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(rel)))
		return err != nil || own == nil || !os.SameFile(info, own)
	}
	if err := w.walk("."); err != nil {
		return nil, err
	}
	if wrong == nil && len(p.plan.Sources) == 0 {
		wrong = fmt.Errorf("%s: no videos", dir)
	}
	return &p.plan, wrong
}

type planner struct {
	plan   Plan
	root   string // names are below it
	byName map[string]int
}

func newPlanner(root string) *planner { return &planner{root: root, byName: map[string]int{}} }

// maxWrong is how many wrong lines an error names.
const maxWrong = 10

func (p *planner) list(file string, o dataset.Options) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return fmt.Errorf("%s: a folder, not a list", file)
	}
	list := planned{file: file}
	var wrong []error
	for line, err := range dataset.Scan(f, file, false) {
		source := 0
		if err == nil {
			source, err = p.row(file, line, o)
		}
		if err == nil {
			list.rows = append(list.rows, planRow{int32(source), int32(line.Label)})
			continue
		}
		if wrong = append(wrong, err); len(wrong) == maxWrong {
			break
		}
	}
	if len(wrong) == 0 && len(list.rows) == 0 {
		return fmt.Errorf("%s: the list is empty", file)
	}
	p.plan.lists = append(p.plan.lists, list)
	return errors.Join(wrong...)
}

func (p *planner) row(file string, line dataset.Line, o dataset.Options) (int, error) {
	source, err := p.add(o.Path(line.Name))
	if err == nil {
		err = listable(p.plan.Sources[source].Name)
	}
	if err != nil {
		return 0, fmt.Errorf("%s:%d: %w", file, line.N, err)
	}
	return source, nil
}

// add returns the number of a video, which is a new one unless it was there.
func (p *planner) add(path string) (int, error) {
	name, err := p.name(path)
	if err != nil {
		return 0, err
	}
	if at, ok := p.byName[name]; ok {
		if other := p.plan.Sources[at].Path; filepath.Clean(other) != filepath.Clean(path) {
			return 0, fmt.Errorf("%s and %s would both become %s: rename one", other, path, name)
		}
		return at, nil
	}
	p.byName[name] = len(p.plan.Sources)
	p.plan.Sources = append(p.plan.Sources, Source{path, name})
	return len(p.plan.Sources) - 1, nil
}

// name is what to call what is made of the video at path.
func (p *planner) name(path string) (string, error) {
	root, err := filepath.Abs(p.root)
	if err != nil {
		return "", err
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(root, full)
	if err != nil || !filepath.IsLocal(rel) {
		return "", fmt.Errorf("%s does not lie in the folder %s, below which names are kept: give the folder of all videos as --prefix", path, root)
	}
	name := strings.TrimSuffix(rel, filepath.Ext(rel))
	if base := filepath.Base(name); name == "" || base == "." || strings.HasSuffix(name, string(filepath.Separator)) {
		return "", fmt.Errorf("%s: a name that is nothing but an extension", path)
	}
	return filepath.ToSlash(name), nil
}

// nested says that what is made of one video would lie in the folder of another.
func (p *Plan) nested() error {
	byName := make(map[string]Source, len(p.Sources))
	for _, s := range p.Sources {
		byName[s.Name] = s
	}
	for _, s := range p.Sources {
		for at := strings.LastIndexByte(s.Name, '/'); at > 0; at = strings.LastIndexByte(s.Name[:at], '/') {
			if outer, ok := byName[s.Name[:at]]; ok {
				return fmt.Errorf("the frames of %s would lie among those of %s: rename one", s.Path, outer.Path)
			}
		}
	}
	return nil
}
