package fetch

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// What lies in the cache beside NAME, a whole file.
const (
	partExt  = ".part"      // what has come so far
	aboutExt = ".part.json" // of which file on the server that is
	lockExt  = ".lock"      // held by the process that downloads; stays
)

func cacheDir(dir string) (string, error) {
	if dir != "" {
		return dir, nil
	}
	if dir := os.Getenv("PPTSN_CACHE"); dir != "" {
		return dir, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache folder: %w: set PPTSN_CACHE", err)
	}
	return filepath.Join(dir, "pptsn", "weights"), nil
}

// cacheName keeps the name that the URL ends with, so that people know it, and
// tells URLs apart that end alike.
func cacheName(u *url.URL) string {
	sum := sha256.Sum256([]byte(u.String()))
	base := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return '_'
	}, path.Base(u.Path))
	ext := path.Ext(base)
	name := strings.Trim(strings.TrimSuffix(base, ext), "._")
	if name == "" {
		name = "weights"
	}
	if len(ext) > 16 {
		ext = ""
	}
	return fmt.Sprintf("%.100s-%s%s", name, hex.EncodeToString(sum[:4]), ext)
}

// cached says whether the whole file is there. One with another checksum than
// the URL asks for is removed.
func cached(path string, s source) (bool, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("fetch: cache: %w", err)
	}
	if s.sha256 == "" {
		return true, nil
	}
	sum, err := hashFile(path)
	if err != nil {
		return false, fmt.Errorf("fetch: cache: %w", err)
	}
	if sum != s.sha256 {
		return false, os.Remove(path)
	}
	return true, nil
}

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
