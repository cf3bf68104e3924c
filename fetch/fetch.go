// Package fetch finds weights that a configuration names by a path or an URL.
// What comes from an URL is kept in a cache folder, whole or as the part that
// has come so far.
package fetch

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// SSLD is where PaddleVideo's documentation sends its users for the weights that
// its PP-TSN and TSN configurations begin with (docs/*/model_zoo, "pretrained").
const SSLD = "https://videotag.bj.bcebos.com/PaddleVideo/PretrainModel/ResNet50_vd_ssld_v2_pretrained.pdparams"

// Options tunes downloads. The zero value suits weights of any size.
type Options struct {
	// Dir is the cache folder. "": the environment variable PPTSN_CACHE, else
	// pptsn/weights in the user's cache folder (~/.cache).
	Dir string
	// Client makes the requests. nil: one that knows the usual proxy variables.
	Client *http.Client
	// Stall is how long nothing may come before a try is given up. 0: 30 seconds.
	Stall time.Duration
	// Retries is how many tries in a row may bring nothing new, after the first.
	// 0: 5; below 0: none.
	Retries int
	// Backoff is the wait before the first of them; it doubles each time, up to a
	// minute. 0: one second.
	Backoff time.Duration
	// Progress, if set, is told of bytes that are here and of all; total is -1
	// where the server does not say. It is called from the caller's goroutine.
	Progress func(done, total int64)
	// Waiting, if set, is called once if another process downloads the same.
	Waiting func()
	// Retrying, if set, is told why a try failed and how long the wait is.
	Retrying func(err error, wait time.Duration)
}

// Weights returns the path of a file on this machine. A path is returned as it
// is, if a file is there. An http or https URL is downloaded, unless the cache
// has it; its fragment may hold a checksum: #sha256=HEX. A download that was cut
// off, by ctx too, goes on where it stopped if the server's file is the same.
// Two processes do not download one URL at the same time: the second waits.
func Weights(ctx context.Context, ref string, o Options) (path string, err error) {
	if !isURL(ref) {
		return local(ref)
	}
	s, err := parse(ref)
	if err != nil {
		return "", fmt.Errorf("fetch: %s: %w", ref, err)
	}
	if o.Dir, err = cacheDir(o.Dir); err != nil {
		return "", fmt.Errorf("fetch: %w", err)
	}
	if err := os.MkdirAll(o.Dir, 0o777); err != nil {
		return "", fmt.Errorf("fetch: cache folder: %w", err)
	}
	path = filepath.Join(o.Dir, s.file)
	unlock, err := lock(ctx, path+lockExt, o.Waiting)
	if err != nil {
		return "", fmt.Errorf("fetch: %s: %w", ref, err)
	}
	defer unlock()
	if have, err := cached(path, s); have || err != nil {
		return path, err
	}
	if err := newDownload(s, path, o).run(ctx); err != nil {
		return "", fmt.Errorf("fetch: %s: %w", s.url, err)
	}
	return path, nil
}

// local checks a path.
func local(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("fetch: weights %s: %w: give the path or URL of a .pdparams file; those of ResNet50_vd for "+
			"PP-TSN and TSN (PaddleClas, SSLD) are published at %s", path, fs.ErrNotExist, SSLD)
	case err != nil:
		return "", fmt.Errorf("fetch: weights: %w", err)
	case info.IsDir():
		return "", fmt.Errorf("fetch: weights %s: a folder, not a .pdparams file", path)
	}
	return path, nil
}

// isURL tells scheme://... from a path.
func isURL(ref string) bool { return strings.Contains(ref, "://") }

// A source is a URL to be downloaded.
type source struct {
	url    string // without the fragment
	file   string // name in the cache
	sha256 string // lower case; "" if unknown
}

func parse(ref string) (source, error) {
	u, err := url.Parse(ref)
	if err != nil {
		return source{}, err
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return source{}, fmt.Errorf("scheme %q: want http or https, or a path", u.Scheme)
	}
	if u.Host == "" {
		return source{}, errors.New("no host")
	}
	s := source{}
	if u.Fragment != "" {
		sum, ok := strings.CutPrefix(u.Fragment, "sha256=")
		b, err := hex.DecodeString(sum)
		if !ok || err != nil || len(b) != 32 {
			return s, fmt.Errorf("fragment %q: want sha256= and 64 hexadecimal digits", u.Fragment)
		}
		s.sha256 = strings.ToLower(sum)
	}
	u.Fragment, u.RawFragment = "", ""
	s.url = u.String()
	s.file = cacheName(u)
	return s, nil
}
