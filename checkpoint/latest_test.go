package checkpoint_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/checkpoint"
)

func TestLatestGoesByEpochAndIteration(t *testing.T) {
	dir := t.TempDir()
	newestFirst := []struct {
		name               string
		epochs, iterations int
	}{
		{"ppTSN_epoch_00011_iter_000005", 10, 5},
		{"ppTSN_epoch_00010", 10, 0},
		{"ppTSN_epoch_00010_iter_000200", 9, 200},
		{"ppTSN_epoch_00010_iter_000020", 9, 20},
		{"ppTSN_epoch_00009", 9, 0},
	}
	for _, c := range []int{1, 3, 0, 4, 2} { // not in the order of time
		save(t, dir, newestFirst[c].name, sample(t, newestFirst[c].epochs, newestFirst[c].iterations, 4, 1))
	}
	save(t, dir, "ppTSN_best", sample(t, 99, 0, 4, 1))
	other := sample(t, 98, 0, 4, 1)
	other.State.Model = "ppTSN_v2"
	save(t, dir, "ppTSN_v2_epoch_00098", other)
	for i, want := range newestFirst {
		name, warnings, err := checkpoint.Latest(dir, model)
		if name != want.name || len(warnings) != i || err != nil {
			t.Errorf("Latest: %s, %v, %v; want %s and %d warnings", name, warnings, err, want.name, i)
		}
		damage(t, filepath.Join(dir, want.name), i)
	}
	name, warnings, err := checkpoint.Latest(dir, model)
	if !errors.Is(err, checkpoint.ErrNone) || !errors.Is(err, fs.ErrNotExist) || len(warnings) != len(newestFirst) {
		t.Errorf("all damaged: %q, %v, %v", name, warnings, err)
	}
}

// damage spoils a checkpoint, each way in turn.
func damage(t *testing.T, path string, way int) {
	t.Helper()
	var err error
	switch way % 5 {
	case 0:
		err = os.Remove(path + ".pptsn.json")
	case 1:
		err = os.Truncate(path+".pdparams", 10)
	case 2:
		err = os.Remove(path + ".pdopt")
	case 3:
		err = os.WriteFile(path+".pptsn.json", []byte("{"), 0o600)
	case 4:
		err = os.Remove(path + ".pdparams")
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestLatestSeesARename(t *testing.T) {
	dir := t.TempDir()
	save(t, dir, "ppTSN_epoch_00005", sample(t, 4, 0, 4, 1))
	_, warnings, err := checkpoint.Latest(dir, model)
	if !errors.Is(err, checkpoint.ErrNone) || len(warnings) != 1 || !strings.Contains(warnings[0].Error(), "renamed") {
		t.Errorf("%v, %v", warnings, err)
	}
}

func TestLatestInAFolderThatIsNotThere(t *testing.T) {
	_, _, err := checkpoint.Latest(filepath.Join(t.TempDir(), "no"), model)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want %v", err, fs.ErrNotExist)
	}
}

func TestPruneAndSweep(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name               string
		epochs, iterations int
	}{
		{"ppTSN_epoch_00001", 1, 0}, {"ppTSN_epoch_00002_iter_000100", 1, 100}, {"ppTSN_epoch_00002_iter_000200", 1, 200},
		{"ppTSN_epoch_00002", 2, 0}, {"ppTSN_epoch_00003_iter_000100", 2, 100}, {"ppTSN_best", 1, 0},
	} {
		save(t, dir, c.name, sample(t, c.epochs, c.iterations, 4, 1))
	}
	for _, name := range []string{
		".ppTSN_epoch_00002.pdparams.123.tmp", ".metrics.jsonl.9.tmp", // swept
		".other_epoch_00002.pdparams.123.tmp", ".ppTSN_notes.tmp", "ppTSN_v2_epoch_00001_iter_000001.pdopt", // of others
	} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := checkpoint.Prune(dir, model, "ppTSN_epoch_00002"); err != nil {
		t.Fatal(err)
	}
	if err := checkpoint.Sweep(dir, "ppTSN_", "metrics.jsonl"); err != nil {
		t.Fatal(err)
	}
	want := []string{".other_epoch_00002.pdparams.123.tmp", ".ppTSN_notes.tmp", "ppTSN_v2_epoch_00001_iter_000001.pdopt"}
	for _, name := range []string{"ppTSN_best", "ppTSN_epoch_00001", "ppTSN_epoch_00002", "ppTSN_epoch_00003_iter_000100"} {
		want = append(want, name+".pdopt", name+".pdparams", name+".pptsn.json")
	}
	slices.Sort(want)
	if got := files(t, dir); !slices.Equal(got, want) {
		t.Errorf("left\n%v, want\n%v", got, want)
	}
	if err := checkpoint.Prune(dir, model, "ppTSN_best"); err == nil {
		t.Error("Prune by a name without a place: no error")
	}
}

func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// A second run in the folder of a longer first one must go on from its own.
func TestSetAside(t *testing.T) {
	dir := t.TempDir()
	for epoch := 1; epoch <= 3; epoch++ {
		save(t, dir, checkpoint.EpochName(model, epoch), sample(t, epoch, 0, 4, 1))
	}
	save(t, dir, checkpoint.IterName(model, 4, 7), sample(t, 3, 7, 4, 1))
	names, err := checkpoint.SetAside(dir, model, "")
	want := []string{"ppTSN_epoch_00004_iter_000007", "ppTSN_epoch_00003", "ppTSN_epoch_00002", "ppTSN_epoch_00001"}
	if !slices.Equal(names, want) || err != nil {
		t.Fatalf("%v, %v; want %v", names, err, want)
	}
	if name, warnings, err := checkpoint.Latest(dir, model); !errors.Is(err, checkpoint.ErrNone) || warnings != nil {
		t.Errorf("Latest: %s, %v, %v", name, warnings, err)
	}
	save(t, dir, checkpoint.EpochName(model, 1), sample(t, 1, 0, 4, 1))
	if name, warnings, err := checkpoint.Latest(dir, model); name != "ppTSN_epoch_00001" || warnings != nil || err != nil {
		t.Errorf("Latest: %s, %v, %v; want the new run's first", name, warnings, err)
	}
	if c, err := checkpoint.Open(filepath.Join(dir, "ppTSN_epoch_00003")); err != nil || !c.State.Foreign || c.State.Epochs != 3 {
		t.Errorf("the earlier run's last: %v", err)
	}
	if again, err := checkpoint.SetAside(dir, model, ""); len(again) != 1 || err != nil {
		t.Errorf("again: %v, %v; want the new run's one", again, err)
	}
}

// A run that goes back to its second epoch leaves the second where it is.
func TestSetAsideAfterAnEpoch(t *testing.T) {
	dir := t.TempDir()
	for epoch := 1; epoch <= 3; epoch++ {
		save(t, dir, checkpoint.EpochName(model, epoch), sample(t, epoch, 0, 4, 1))
		save(t, dir, checkpoint.IterName(model, epoch+1, 9), sample(t, epoch, 9, 4, 1))
	}
	if names, err := checkpoint.SetAside(dir, model, "ppTSN_best"); err == nil || names != nil {
		t.Errorf("after a name without a place: %v, %v", names, err)
	}
	names, err := checkpoint.SetAside(dir, model, "ppTSN_epoch_00002")
	want := []string{"ppTSN_epoch_00004_iter_000009", "ppTSN_epoch_00003", "ppTSN_epoch_00003_iter_000009"}
	if !slices.Equal(names, want) || err != nil {
		t.Errorf("%v, %v; want %v", names, err, want)
	}
	if name, warnings, err := checkpoint.Latest(dir, model); name != "ppTSN_epoch_00002" || warnings != nil || err != nil {
		t.Errorf("Latest: %s, %v, %v", name, warnings, err)
	}
}
