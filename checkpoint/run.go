package checkpoint

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// A Run is the fingerprint of what must not change between a run and its
// resumption: with another network, list, batch or optimiser the steps to come
// would not be those of the first run. The number of processes may change: see
// State.In.
type Run struct {
	Network string `json:"network"` // backbone, classes, segments
	List    string `json:"list"`    // HashFile of the training list
	Batch   int    `json:"batch"`   // clips, of one process

	// Settings are all others that shape an update, by name.
	Settings map[string]string `json:"settings"`

	// Files are HashFile of what else the run learns from, by name. Of several
	// processes only the one that writes checkpoints needs to know them.
	Files map[string]string `json:"files,omitempty"`
}

// Check compares a saved fingerprint with that of the run which would go on. The
// error names all that differs.
func (r Run) Check(now Run) error {
	var changed []string
	for _, c := range []struct{ what, was, is string }{
		{"network", r.Network, now.Network},
		{"training list (sha256)", r.List, now.List},
		{"batch size", fmt.Sprint(r.Batch), fmt.Sprint(now.Batch)},
	} {
		if c.was != c.is {
			changed = append(changed, fmt.Sprintf("%s was %q and is %q", c.what, c.was, c.is))
		}
	}
	changed = append(changed, differences(r.Settings, now.Settings)...)
	changed = append(changed, differences(r.Files, now.Files)...)
	if changed == nil {
		return nil
	}
	return fmt.Errorf("checkpoint of another run: %s: undo the change, or start anew from its weights with -w",
		strings.Join(changed, "; "))
}

// differences names the settings that two runs do not share.
func differences(was, is map[string]string) []string {
	names := slices.Collect(maps.Keys(was))
	for name := range is {
		if _, ok := was[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var changed []string
	for _, name := range names {
		if was[name] != is[name] {
			changed = append(changed, fmt.Sprintf("%s was %s and is %s", name, was[name], is[name]))
		}
	}
	return changed
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
