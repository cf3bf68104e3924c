package probe

import (
	"bytes"
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"time"
)

// What an entry is about is the end of its name.
const (
	factsEntry = "-facts"
	indexEntry = "-index"
)

// unfinished begins the name of an entry that is being written.
const unfinished = "new-"

// maxEntry bounds an entry: the index of some hours.
const maxEntry = 16 << 20 // bytes

// stale is how old an entry's time may be before a use renews it.
const stale = 24 * time.Hour

func (c *Cache) path(key, kind string) string { return filepath.Join(c.dir, key[:2], key+kind) }

// load reads an entry; nil if there is none that is whole.
func (c *Cache) load(key, kind string) []byte {
	path := c.path(key, kind)
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() > maxEntry {
		return nil
	}
	b, err := io.ReadAll(io.LimitReader(f, maxEntry))
	if err != nil {
		return nil
	}
	if now := time.Now(); now.Sub(info.ModTime()) > stale {
		_ = os.Chtimes(path, now, now) // else it is only forgotten sooner
	}
	return unseal(b)
}

// store writes an entry beside the others and renames it, so that nobody reads
// a half. It is not synced, which would take longer than all else: what a power
// cut tears has the wrong checksum and counts as absent.
func (c *Cache) store(key, kind string, data []byte) {
	if len(data)+sha256.Size > maxEntry || c.Err() != nil {
		return
	}
	if err := c.write(c.path(key, kind), seal(data)); err != nil {
		c.fail(err)
	}
}

func (c *Cache) write(path string, data []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, unfinished)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(0o644) // of use to all who share the folder
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// seal puts a checksum before the data.
func seal(data []byte) []byte {
	sum := sha256.Sum256(data)
	return append(sum[:], data...)
}

// unseal returns the data; nil if they are not those that were sealed.
func unseal(b []byte) []byte {
	if len(b) < sha256.Size {
		return nil
	}
	sum := sha256.Sum256(b[sha256.Size:])
	if !bytes.Equal(sum[:], b[:sha256.Size]) {
		return nil
	}
	return b[sha256.Size:]
}
