package probe

import (
	"os"
	"path/filepath"
	"strings"
	"time"
)

// An entry that was not used for that long is removed, looked for once a day:
// as the go command does with its build cache.
const (
	forgetAfter = 90 * 24 * time.Hour
	trimEvery   = 24 * time.Hour
)

// trim removes old entries, and what a killed process left behind. There is no
// limit to the bytes: an entry has some ten thousand, its video some million.
func (c *Cache) trim() {
	done := filepath.Join(c.dir, "trimmed") // its time says when
	now := time.Now()
	if info, err := os.Stat(done); err == nil && now.Sub(info.ModTime()).Abs() < trimEvery {
		return
	}
	shards, err := os.ReadDir(c.dir)
	if err != nil || len(shards) == 0 || os.WriteFile(done, nil, 0o666) != nil || os.Chtimes(done, now, now) != nil {
		return
	}
	for _, dir := range shards {
		if dir.IsDir() && len(dir.Name()) == 2 {
			trimShard(filepath.Join(c.dir, dir.Name()), now.Add(-forgetAfter))
		}
	}
}

func trimShard(dir string, before time.Time) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if !ours(e.Name()) {
			continue
		}
		if info, err := e.Info(); err == nil && info.ModTime().Before(before) {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

func ours(name string) bool {
	return strings.HasSuffix(name, factsEntry) || strings.HasSuffix(name, indexEntry) || strings.HasPrefix(name, unfinished)
}
