package prepare

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/pptsn/pptsn/internal/ordered"
	"github.com/pptsn/pptsn/video"
)

// RunOptions says how frames or compact copies are made. Out must be given.
type RunOptions struct {
	Out     string            // folder for what is made
	Lists   string            // folder for the lists; "": Out
	Workers int               // videos at a time; 0: one a core
	Force   bool              // make again what was made with other settings
	Done    func(Made)        // called for each video, in the plan's order; may be nil
	Warn    func(text string) // called with what the user should know; may be nil
}

// A Made says what became of one video.
type Made struct {
	Source   Source
	Kept     bool         // it was there already, from an earlier run
	Pictures int          // that there are
	Bytes    int64        // that were written
	Faults   video.Faults // of a video that is damaged but gave pictures
	Err      error
}

// A Summary says how a run went.
type Summary struct {
	Videos   int      `json:"videos"`
	Made     int      `json:"made"`
	Kept     int      `json:"kept"` // from an earlier run
	Failed   int      `json:"failed"`
	Pictures int      `json:"pictures"` // made and kept
	Bytes    int64    `json:"bytes"`    // written
	Lists    []string `json:"lists"`    // that were written
}

// A maker makes one thing of a video.
type maker interface {
	kind() string   // names the settings' file and the lists
	suffix() string // of what is made
	check(*Plan) error
	line(name string, pictures, label int) (string, error) // of a list
	// make writes at path, with rec and the number of pictures in it.
	make(ctx context.Context, source, path string, rec record) (Made, error)
	// read returns the record of what is at path: fs.ErrNotExist, errForeign.
	read(path string) (record, error)
}

// A run is one maker at work on a plan.
type run struct {
	maker
	o        RunOptions
	settings json.RawMessage
	sum      Summary
	pictures []int32 // of each source; 0: none
	warned   bool
}

// runPlan makes what is not there yet. A single video's failure is counted, not
// returned. Of what is stopped half-way nothing remains under its final name.
func runPlan(ctx context.Context, p *Plan, m maker, o RunOptions) (Summary, error) {
	settings, err := json.Marshal(m)
	if err != nil {
		return Summary{}, err
	}
	r := &run{maker: m, o: o, settings: settings, sum: Summary{Videos: len(p.Sources), Lists: []string{}}, pictures: make([]int32, len(p.Sources))}
	if err := m.check(p); err != nil {
		return r.sum, err
	}
	release, err := r.begin(p)
	if err != nil {
		return r.sum, err
	}
	defer release()
	if err := r.all(ctx, p); err != nil {
		return r.sum, err
	}
	return r.sum, r.finish(p)
}

func (r *run) all(ctx context.Context, p *Plan) error {
	workers := r.o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	n := 0
	for m := range ordered.Map(ctx, slices.Values(p.Sources), workers, 8*workers, r.one) {
		if full(m.Err) {
			return fmt.Errorf("%w: what is finished is kept: make room in %s and run the same command again", m.Err, r.o.Out)
		}
		r.pictures[n] = int32(m.Pictures)
		n++
		r.count(m, len(p.Sources)-n)
	}
	return ctx.Err()
}

func full(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

func (r *run) count(m Made, left int) {
	switch {
	case m.Err != nil:
		r.sum.Failed++
	case m.Kept:
		r.sum.Kept++
	default:
		r.sum.Made++
	}
	r.sum.Pictures += m.Pictures
	r.sum.Bytes += m.Bytes
	if r.o.Done != nil {
		r.o.Done(m)
	}
	r.foresee(left)
}

// one makes what is to be made of a video, unless it is there.
func (r *run) one(ctx context.Context, s Source) Made {
	m, err := r.try(ctx, s)
	m.Source = s
	if err != nil {
		if !strings.Contains(err.Error(), s.Path) {
			err = fmt.Errorf("%s: %w", s.Path, err)
		}
		m = Made{Source: s, Err: err}
	}
	return m
}

func (r *run) try(ctx context.Context, s Source) (Made, error) {
	info, err := os.Stat(s.Path)
	if err != nil {
		return Made{}, reason(err)
	}
	final := filepath.Join(r.o.Out, filepath.FromSlash(s.Name)+r.suffix())
	if there, err := os.Stat(final); err == nil && os.SameFile(info, there) {
		return Made{}, errors.New("would be replaced by what is made of it: choose another folder with -o")
	}
	room := roomFor(final)
	if err := os.RemoveAll(room); err != nil { // of a run that was killed
		return Made{}, err
	}
	want := recordOf(info, r.settings)
	old, err := r.read(final)
	if err == nil && old.covers(want) {
		return Made{Kept: true, Pictures: old.Pictures}, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Made{}, fmt.Errorf("%s %w", final, err)
	}
	if err := os.MkdirAll(room, 0o777); err != nil {
		return Made{}, err
	}
	defer os.RemoveAll(room)
	path := filepath.Join(room, "new"+r.suffix())
	m, err := r.make(ctx, s.Path, path, want)
	if err != nil {
		return Made{}, err
	}
	return m, put(path, final, room)
}

// roomSuffix ends the name of the folder in which something is made.
const roomSuffix = ".pptsn-tmp"

// roomFor names the folder in which is made what becomes final. File systems allow
// names of 255 bytes: a long one is cut, and a hash keeps it apart from others.
func roomFor(final string) string {
	base := filepath.Base(final)
	if len(base)+len(roomSuffix) >= 255 {
		base = fmt.Sprintf("%.40s-%x", base, sha256.Sum256([]byte(base)))
	}
	return filepath.Join(filepath.Dir(final), "."+base+roomSuffix)
}

// put brings what is at path to the disk and gives it its final name. What was
// there goes into room first, so that it is at any time old, new or absent.
func put(path, final, room string) error {
	if err := syncTree(path); err != nil {
		return err
	}
	if _, err := os.Lstat(final); err == nil {
		if err := os.Rename(final, filepath.Join(room, "old")); err != nil {
			return err
		}
	}
	return os.Rename(path, final)
}

// reason is a system's error without the path, which is said already.
func reason(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
