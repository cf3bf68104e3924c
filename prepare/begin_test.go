package prepare

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

// On NFS flock refuses a folder as it refuses a descriptor of O_PATH: EBADF.
func TestFoldersThatCannotBeLocked(t *testing.T) {
	const oPath = 0o10000000
	dir, err := os.OpenFile(t.TempDir(), syscall.O_DIRECTORY|oPath, 0)
	if err != nil {
		t.Skip("no O_PATH here:", err)
	}
	defer dir.Close()
	var said []string
	r := &run{o: RunOptions{Out: "out", Warn: func(text string) { said = append(said, text) }}}
	if err := r.lock(dir); err != nil || len(said) != 1 || !strings.Contains(said[0], "out cannot be locked") {
		t.Errorf("%v, said %q", err, said)
	}
}
