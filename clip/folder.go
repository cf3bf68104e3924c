package clip

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/pptsn/pptsn/frame"
)

// A Folder is a video as numbered pictures in one folder, a Source. Frame i is
// the picture Pattern.Name(i+1): files count from 1.
//
// Where a list file says how many frames there are, fill in the fields and no
// folder is listed; OpenFolder counts.
type Folder struct {
	Dir     string
	Pattern Pattern
	N       int                                   // pictures
	Decode  func(file []byte) (*frame.RGB, error) // as jpeg.Decode
}

// OpenFolder counts the pictures whose names fit the pattern (see
// ParsePattern) and whose numbers are 1 and up. A missing one among them is an
// error that names it; a folder without any gives ErrNoFrames.
func OpenFolder(dir, pattern string, decode func(file []byte) (*frame.RGB, error)) (*Folder, error) {
	p, err := ParsePattern(pattern)
	if err != nil {
		return nil, err
	}
	d, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("clip: %w", err)
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("clip: %w", err)
	}
	var numbers []int
	for _, name := range names {
		if n, ok := p.number(name); ok {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	for i, n := range numbers {
		if n != i+1 {
			return nil, fmt.Errorf("clip: %s: picture %s is missing, but %s is there", dir, p.Name(i+1), p.Name(n))
		}
	}
	if len(numbers) == 0 {
		return nil, fmt.Errorf("clip: %s: %w: no picture named like %s", dir, ErrNoFrames, p.Name(1))
	}
	return &Folder{Dir: dir, Pattern: p, N: len(numbers), Decode: decode}, nil
}

// Len is N.
func (f *Folder) Len() int { return f.N }

// Frames decodes each picture once, in the order asked for. Errors name the
// file; one that is missing gives fs.ErrNotExist.
func (f *Folder) Frames(ctx context.Context, indices []int) ([]*frame.RGB, error) {
	seen := make(map[int]*frame.RGB, len(indices))
	out := make([]*frame.RGB, len(indices))
	for i, index := range indices {
		if seen[index] == nil {
			m, err := f.frame(ctx, index)
			if err != nil {
				return nil, err
			}
			seen[index] = m
		}
		out[i] = seen[index]
	}
	return out, nil
}

func (f *Folder) frame(ctx context.Context, index int) (*frame.RGB, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if index < 0 || index >= f.N {
		return nil, fmt.Errorf("%s: frame %d of %d", f.Dir, index, f.N)
	}
	path := filepath.Join(f.Dir, f.Pattern.Name(index+1))
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m, err := f.Decode(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}
