package checkpoint_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/pptsn/pptsn/checkpoint"
)

// smallDisk mounts a file system of so many bytes.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skip("needs the right to mount a small tmpfs:", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error("unmount:", err)
		}
	})
	return dir
}

// The disk fills in the first file, or in the second when the first fits.
func TestFullDisk(t *testing.T) {
	for _, tc := range []struct {
		name     string
		elements int // of float32, in the parameters and again in the optimiser
		file     string
	}{
		{"in the parameters", 1 << 19, "ppTSN_epoch_00002.pdparams"},
		{"in the optimiser", 200_000, "ppTSN_epoch_00002.pdopt"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := smallDisk(t, "1536k")
			save(t, dir, "ppTSN_epoch_00001", sample(t, 1, 0, 20_000, 1))
			save(t, dir, "ppTSN_best", sample(t, 1, 0, 20_000, 1))
			before := files(t, dir)
			err := checkpoint.Save(dir, "ppTSN_epoch_00002", sample(t, 2, 0, tc.elements, 2))
			if !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("error %v, want ENOSPC", err)
			}
			for _, want := range []string{filepath.Join(dir, tc.file), "free space", "output_dir"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not contain %q", err, want)
				}
			}
			if err := checkpoint.Save(dir, "ppTSN_best", sample(t, 2, 0, tc.elements, 2)); err == nil {
				t.Error("best: no error on a full disk")
			}
			if after := files(t, dir); strings.Join(after, " ") != strings.Join(before, " ") {
				t.Errorf("files before %v\nafter %v", before, after)
			}
			for _, name := range []string{"ppTSN_epoch_00001", "ppTSN_best"} {
				if c, err := checkpoint.Open(filepath.Join(dir, name)); err != nil || c.State.Epochs != 1 {
					t.Errorf("%s afterwards: %v", name, err)
				}
			}
		})
	}
}

func TestSaveIntoAFolderThatIsNotThere(t *testing.T) {
	err := checkpoint.Save(filepath.Join(t.TempDir(), "no"), "a", sample(t, 1, 0, 4, 1))
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want %v", err, os.ErrNotExist)
	}
}
