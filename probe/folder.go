package probe

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/frame"
	"github.com/pptsn/pptsn/jpeg"
)

// FolderFacts are what decoding all pictures of a folder has shown.
type FolderFacts struct {
	Listed        int      // pictures by the list: n
	There         int      // of these; for n = 0 all up to the first number without one
	More          int      // after the n-th, up to the first number without one
	Decoded       int      // of those There
	Sizes         int      // of those Decoded that are not Width x Height
	Width, Height int      // pixels of the first that was decoded
	Bytes         int64    // of the files There
	Pictures      [16]byte // hash over the pixels of those Decoded, in order
	Wrong         []string // the first ten complaints about single pictures, with their names
}

const maxWrong = 10

// maxGap bounds how far a picture is looked for in a folder that a list claims
// to hold billions.
const maxGap = 1 << 16

// Folder decodes the pictures 1 to n of a folder; n = 0: all from 1 up to the
// first number without one. Nothing of it is remembered.
//
// What is wrong with a picture is in the facts. The error is ctx's, or that of
// a folder that cannot be read.
func Folder(ctx context.Context, dir string, pattern clip.Pattern, n int) (FolderFacts, error) {
	names, err := timed(ctx, time.Minute, func(context.Context) (map[string]bool, error) { return list(dir) })
	if errors.Is(err, errLate) {
		err = fmt.Errorf("probe: %s: not listed within %v", dir, time.Minute)
	}
	if err != nil {
		return FolderFacts{}, err
	}
	facts := FolderFacts{Listed: n}
	last := n
	for names[pattern.Name(last+1)] {
		last++
	}
	if n > 0 {
		facts.More = last - n
		last = n
	}
	sums := sha256.New()
	gap := 0 // numbers in a row without a picture
	for i := 1; i <= last && gap < maxGap; i++ {
		gap++
		if names[pattern.Name(i)] {
			gap = 0
		}
		if err := facts.add(ctx, sums, dir, pattern.Name(i), names); err != nil {
			return FolderFacts{}, err
		}
	}
	copy(facts.Pictures[:], sums.Sum(nil))
	return facts, nil
}

func list(dir string) (map[string]bool, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	defer d.Close()
	all, err := d.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	names := make(map[string]bool, len(all))
	for _, name := range all {
		names[name] = true
	}
	return names, nil
}

// add looks at one picture.
func (f *FolderFacts) add(ctx context.Context, sums hash.Hash, dir, name string, names map[string]bool) error {
	if !names[name] {
		f.complain(name, "missing")
		return ctx.Err()
	}
	f.There++
	p, err := timed(ctx, time.Minute, func(context.Context) (picture, error) { return decode(filepath.Join(dir, name)) })
	f.Bytes += p.bytes
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errLate):
		f.complain(name, fmt.Sprintf("not read within %v", time.Minute))
		return nil
	case err != nil:
		f.complain(name, err.Error())
		return nil
	case p.err != nil:
		f.complain(name, p.err.Error())
		return nil
	}
	img := p.RGB
	fmt.Fprintf(sums, "%d %d\n", img.W, img.H)
	sums.Write(img.Pix)
	f.Decoded++
	if f.Decoded == 1 {
		f.Width, f.Height = img.W, img.H
	}
	if img.W != f.Width || img.H != f.Height {
		f.Sizes++
		f.complain(name, fmt.Sprintf("%d x %d pixels, the first has %d x %d", img.W, img.H, f.Width, f.Height))
	}
	return nil
}

func (f *FolderFacts) complain(name, what string) {
	if len(f.Wrong) < maxWrong {
		f.Wrong = append(f.Wrong, name+": "+what)
	}
}

// A picture is one that was read; err says why it does not decode.
type picture struct {
	*frame.RGB
	bytes int64
	err   error
}

// maxPicture bounds a file that is taken for a picture.
const maxPicture = 256 << 20 // bytes

func decode(path string) (picture, error) {
	f, info, err := open(path)
	if err != nil {
		var p *fs.PathError
		if errors.As(err, &p) {
			err = p.Err // the name is said already
		}
		return picture{}, err
	}
	f.Close()
	if info.Size() > maxPicture {
		return picture{bytes: info.Size(), err: fmt.Errorf("%d bytes: want at most %d", info.Size(), maxPicture)}, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return picture{}, err
	}
	img, err := jpeg.Decode(b)
	return picture{RGB: img, bytes: info.Size(), err: err}, nil
}
