package checkpoint_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/checkpoint"
)

func TestLockKeepsASecondRunOut(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "output", "ppTSN") // made by Lock
	release, err := checkpoint.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = checkpoint.Lock(dir)
	var used *checkpoint.InUseError
	if !errors.As(err, &used) {
		t.Fatalf("error %v, want an InUseError", err)
	}
	host, _ := os.Hostname()
	for _, want := range []string{dir, fmt.Sprintf("process %d on %s since 2", os.Getpid(), host), "output_dir"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not contain %q", err, want)
		}
	}
	release()
	release, err = checkpoint.Lock(dir)
	if err != nil {
		t.Fatal("after release:", err)
	}
	release()
}
