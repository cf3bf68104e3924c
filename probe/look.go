package probe

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pptsn/pptsn/frame"
	"github.com/pptsn/pptsn/video"
)

// findings are what is remembered.
type findings struct {
	Facts
	Thumb []byte // as JPEG

	index []byte // of the file, an entry of its own
	known bool
}

// Facts decodes the whole file at path, or remembers what that gave. known says
// which. A nil Cache works and remembers nothing.
//
// What is wrong with the video is in the facts. The error is ctx's, or what the
// operating system says of a file that cannot be read.
func (c *Cache) Facts(ctx context.Context, path string, o Options) (f Facts, known bool, err error) {
	o.Timeout = cmp.Or(max(o.Timeout, 0), time.Minute)
	found, err := timed(ctx, o.Timeout, func(ctx context.Context) (*findings, error) { return c.find(ctx, path, o) })
	var fault *panicked
	switch {
	case errors.Is(err, errLate):
		return Facts{Err: &Failure{Timeout, fmt.Sprintf("not decoded within %v", o.Timeout)}}, false, nil
	case errors.As(err, &fault):
		return Facts{Err: failure(err)}, false, nil
	case err != nil:
		return Facts{}, false, err
	}
	f = found.Facts
	f.Thumb = thumb(found.Thumb, o.Thumb)
	return f, found.known, nil
}

// find remembers or looks. What it found is remembered if the file did not
// change meanwhile.
func (c *Cache) find(ctx context.Context, path string, o Options) (*findings, error) {
	if c == nil {
		return look(ctx, path, o)
	}
	id, err := Identify(path)
	if err != nil {
		return nil, err
	}
	if found := recall(c.load(id.Key, factsEntry)); found != nil && found.Size == id.Size {
		return found, nil
	}
	found, err := look(ctx, path, o)
	if err != nil {
		return nil, err
	}
	if now, err := Identify(path); err != nil || now != id {
		return found, nil
	}
	if b, err := json.Marshal(found); err == nil {
		c.store(id.Key, factsEntry, b)
	}
	if found.index != nil {
		c.store(id.Key, indexEntry, found.index)
	}
	return found, nil
}

// recall reads an entry; nil if it makes no sense.
func recall(b []byte) *findings {
	var found findings
	if b == nil || json.Unmarshal(b, &found) != nil || found.Frames < 0 || (found.Frames > 0) != (found.Err == nil) {
		return nil
	}
	found.known = true
	return &found
}

// look decodes the file.
func look(ctx context.Context, path string, o Options) (*findings, error) {
	found := new(findings)
	var err error
	// Read once before, so that decoding finds it in memory.
	if found.Size, found.SHA256, err = hashFile(ctx, path); err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	if found.Cut, err = Cut(path); err != nil {
		return nil, err
	}
	// A stalled disk is the time limit's matter, not a fault of the file.
	f, err := video.Open(ctx, path, video.Options{Stall: 2 * o.Timeout})
	if err == nil {
		defer f.Close()
		err = found.decode(ctx, f)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		if found.Err = failure(err); found.Err == nil {
			return nil, err
		}
		found.Frames = 0
		return found, nil
	}
	if b, err := f.Index().MarshalBinary(); err == nil {
		found.index = b
	}
	return found, nil
}

// decode goes through all frames.
func (found *findings) decode(ctx context.Context, f *video.File) error {
	sums := sha256.New()
	middle := f.Len() / 2 // as far as is known
	var picture *frame.RGB
	var err error
	found.Faults, err = f.Each(ctx, func(p *video.Picture) error {
		sum := p.Sum()
		sums.Write(sum[:])
		found.Frames++
		if p.Index != 0 && p.Index != middle { // the first, in case that there is no middle
			return nil
		}
		if img, err := p.RGB(); err == nil {
			picture = img
		}
		return nil
	})
	found.Info = f.Info()
	copy(found.Pictures[:], sums.Sum(nil))
	switch {
	case err != nil:
		return err
	case found.Frames == 0:
		return video.ErrNoFrames
	case picture == nil:
		return nil
	}
	found.Thumb, err = encode(picture)
	return err
}
