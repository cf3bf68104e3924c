package checkpoint_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pptsn/pptsn/checkpoint"
)

// saverDir tells a child of this test where to save without end.
const saverDir = "PPTSN_TEST_SAVER_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(saverDir); dir != "" {
		saveForever(dir)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// saveForever locks the folder, goes on after its latest checkpoint, and prints
// the epoch after each one saved. Every tensor is filled with the epoch.
func saveForever(dir string) {
	die := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	release, err := checkpoint.Lock(dir)
	die(err)
	defer release()
	die(checkpoint.Sweep(dir, model+"_"))
	t := new(testing.T)
	epoch := 1
	if name, _, err := checkpoint.Latest(dir, model); err == nil {
		c, err := checkpoint.Open(filepath.Join(dir, name))
		die(err)
		epoch = c.State.Epochs + 1
	}
	for ; ; epoch++ {
		c := sample(t, epoch, 0, 1<<16, float32(epoch))
		c.Peers = []checkpoint.Peer{{"Teacher", network(t, 1<<16, float32(epoch))}}
		die(checkpoint.Save(dir, checkpoint.BestName(model), c))
		die(checkpoint.Save(dir, checkpoint.EpochName(model, epoch), c))
		fmt.Println(epoch)
	}
}

// kill -9 at random moments: what is found is whole, and it is never older than
// what Save said was saved. The lock of the dead is no obstacle.
func TestKilledWhileSaving(t *testing.T) {
	if testing.Short() {
		t.Skip("15 processes")
	}
	dir := t.TempDir()
	for round := range 15 {
		saved := killOne(t, dir, time.Duration(rand.IntN(40_000))*time.Microsecond)
		name, _, err := checkpoint.Latest(dir, model)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		c, err := checkpoint.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if c.State.Epochs < saved {
			t.Fatalf("round %d: found epoch %d, but %d was saved", round, c.State.Epochs, saved)
		}
		for _, e := range append(c.Params, c.Peers[0].Params...) {
			if v := e.Tensor.Float32s(); v[0] != float32(c.State.Epochs) || v[len(v)-1] != v[0] {
				t.Fatalf("round %d: %s holds %v..%v, want epoch %d", round, e.Name, v[0], v[len(v)-1], c.State.Epochs)
			}
		}
		clear(t, dir, c.State.Epochs)
	}
	release, err := checkpoint.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if err := checkpoint.Sweep(dir, model+"_"); err != nil {
		t.Fatal(err)
	}
	for _, name := range files(t, dir) {
		if strings.HasSuffix(name, ".tmp") {
			t.Errorf("%s left", name)
		}
	}
}

// killOne starts a saver, waits for its first checkpoint and then so long, kills
// it, and returns the last epoch it said it saved.
func killOne(t *testing.T, dir string, wait time.Duration) (saved int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), saverDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if saved == 0 {
			time.AfterFunc(wait, func() { cmd.Process.Kill() })
		}
		fmt.Sscan(lines.Text(), &saved)
	}
	cmd.Wait() // reports the kill
	if saved == 0 {
		t.Fatal("the saver ended without a checkpoint")
	}
	return saved
}

// clear keeps the folder small: older epochs go.
func clear(t *testing.T, dir string, before int) {
	t.Helper()
	for epoch := range before {
		for _, ext := range []string{".pptsn.json", ".pdopt", ".pdparams", "_Teacher.pdopt", "_Teacher.pdparams"} {
			os.Remove(filepath.Join(dir, checkpoint.EpochName(model, epoch)+ext))
		}
	}
}
