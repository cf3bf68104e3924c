package probe

import (
	"context"

	"github.com/pptsn/pptsn/video"
)

// Open is video.Open, which need not read through a file that it knows. A nil
// Cache works and remembers nothing.
func (c *Cache) Open(ctx context.Context, path string, o video.Options) (*video.File, error) {
	if c == nil {
		return video.Open(ctx, path, o)
	}
	id, err := Identify(path)
	if err != nil {
		return video.Open(ctx, path, o) // it says the same, in its words
	}
	o.Index = index(c.load(id.Key, indexEntry))
	f, err := video.Open(ctx, path, o)
	if err != nil || o.Index != nil {
		return f, err
	}
	b, err := f.Index().MarshalBinary()
	if now, changed := Identify(path); err == nil && changed == nil && now == id {
		c.store(id.Key, indexEntry, b)
	}
	return f, nil
}

// index reads an entry; nil if it makes no sense.
func index(b []byte) *video.Index {
	x := new(video.Index)
	if b == nil || x.UnmarshalBinary(b) != nil {
		return nil
	}
	return x
}
