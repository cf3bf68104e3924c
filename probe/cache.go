// Package probe finds out about media files and remembers it between runs.
package probe

import (
	"context"

	"github.com/pptsn/pptsn/video"
)

// A Cache remembers what is known of media files. Many goroutines and many
// processes may use one folder at a time.
type Cache struct {
	dir string
}

// OpenCache uses the folder dir. "": the folder videos in that of the
// environment variable PPTSN_CACHE, else pptsn/videos in the user's cache
// folder. The folder need not be there, nor be writable: see Err.
func OpenCache(dir string) (*Cache, error) { panic("not yet") }

// Err is why the first thing that could not be written was not; nil if all was.
// Nothing but the remembering suffers.
func (c *Cache) Err() error { panic("not yet") }

// Open is video.Open, which need not read through a file that it knows. A nil
// Cache works and remembers nothing.
func (c *Cache) Open(ctx context.Context, path string, o video.Options) (*video.File, error) {
	panic("not yet")
}
