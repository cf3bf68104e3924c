// Package probe finds out what there is to know of media files, and remembers
// it between runs: decoding a data set takes hours, looking again seconds.
//
// Files are known by their content, see [Identify]; nothing has to be told when
// one is moved, changed or replaced.
package probe

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
)

// A Cache remembers what is known of media files, in a folder. Many goroutines
// and many processes may use it at a time.
type Cache struct {
	dir    string
	failed atomic.Pointer[error] // the first failure to write
}

// OpenCache uses the folder dir. "": the folder videos in that of the
// environment variable PPTSN_CACHE, else pptsn/videos in the user's cache
// folder. The folder need not be there nor be writable: see Err. What was not
// used for 90 days is removed, in the background and once a day at most.
func OpenCache(dir string) (*Cache, error) {
	if dir == "" {
		var err error
		if dir, err = defaultDir(); err != nil {
			return nil, err
		}
	}
	c := &Cache{dir: dir}
	go c.trim()
	return c, nil
}

func defaultDir() (string, error) {
	if dir := os.Getenv("PPTSN_CACHE"); dir != "" {
		return filepath.Join(dir, "videos"), nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache folder: %w: set PPTSN_CACHE", err)
	}
	return filepath.Join(dir, "pptsn", "videos"), nil
}

// Err is why the first entry that could not be written was not; nil if all were.
// Nothing but the remembering suffers. A nil Cache has none.
func (c *Cache) Err() error {
	if c == nil || c.failed.Load() == nil {
		return nil
	}
	return *c.failed.Load()
}

// Check is an error if nothing can be remembered in the folder, which it makes.
// Without it the first entry shows that, see Err.
func (c *Cache) Check() error {
	err := os.MkdirAll(c.dir, 0o777)
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(c.dir, unfinished); err == nil {
			f.Close()
			os.Remove(f.Name())
		}
	}
	if err != nil {
		c.fail(err)
		return fmt.Errorf("nothing can be remembered about videos in %s: %w", c.dir, err)
	}
	return nil
}

func (c *Cache) fail(err error) {
	err = fmt.Errorf("probe: nothing more is remembered about videos: %w", err)
	c.failed.CompareAndSwap(nil, &err)
}
