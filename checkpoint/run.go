package checkpoint

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"
)

// A Run is the fingerprint of what must not change between a run and its
// resumption: with another network, list, batch or optimiser the steps to come
// would not be those of the first run.
type Run struct {
	Network   string `json:"network"` // backbone, classes, segments
	List      string `json:"list"`    // HashFile of the training list
	Batch     int    `json:"batch"`   // clips
	Optimizer string `json:"optimizer"`
}

// Check compares a saved fingerprint with that of the run which would go on. The
// error names all that differs.
func (r Run) Check(now Run) error {
	var changed []string
	for _, c := range []struct{ what, was, is string }{
		{"network", r.Network, now.Network},
		{"training list (sha256)", r.List, now.List},
		{"batch size", fmt.Sprint(r.Batch), fmt.Sprint(now.Batch)},
		{"optimizer", r.Optimizer, now.Optimizer},
	} {
		if c.was != c.is {
			changed = append(changed, fmt.Sprintf("%s was %q and is %q", c.what, c.was, c.is))
		}
	}
	if changed == nil {
		return nil
	}
	return fmt.Errorf("checkpoint of another run: %s: undo the change, or start anew from its weights with -w",
		strings.Join(changed, "; "))
}

// HashFile is the SHA-256 of a file in hexadecimal.
func HashFile(path string) (string, error) {
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
