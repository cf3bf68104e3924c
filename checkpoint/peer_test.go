package checkpoint_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/checkpoint"
	"github.com/pptsn/pptsn/pdparams"
)

// withPeers is sample with two networks beside it, of other numbers.
func withPeers(t testing.TB, epochs, iterations int) *checkpoint.Checkpoint {
	t.Helper()
	c := sample(t, epochs, iterations, 12, 0.1)
	c.Peers = []checkpoint.Peer{{"Teacher", network(t, 7, 0.2)}, {"Tutor_2", network(t, 5, 0.3)}}
	return c
}

// filesOf are those of a checkpoint with the peers of withPeers.
func filesOf(name string) []string {
	all := []string{name + ".pptsn.json"}
	for _, stem := range []string{name, name + "_Teacher", name + "_Tutor_2"} {
		all = append(all, stem+".pdparams", stem+".pdopt")
	}
	slices.Sort(all)
	return all
}

func TestOpenReturnsPeers(t *testing.T) {
	for _, name := range []string{checkpoint.EpochName(model, 1), checkpoint.BestName(model), checkpoint.IterName(model, 2, 120)} {
		dir, want := t.TempDir(), withPeers(t, 1, 0)
		save(t, dir, name, want)
		if got := files(t, dir); !slices.Equal(got, filesOf(name)) {
			t.Errorf("files %v", got)
		}
		got, err := checkpoint.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got.Peers, want.Peers) || !reflect.DeepEqual(got.Network, want.Network) {
			t.Errorf("%s: networks differ", name)
		}
	}
}

// A peer's parameters are a file of their own, under their own names.
func TestPeerIsAFileLikeAnyOther(t *testing.T) {
	dir := t.TempDir()
	save(t, dir, "ppTSN_best", withPeers(t, 1, 0))
	f, err := pdparams.Open(filepath.Join(dir, "ppTSN_best_Teacher.pdparams"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if names := f.Names(); !slices.Equal(names, []string{"backbone.conv1._conv.weight", "backbone.conv1._batch_norm._mean"}) {
		t.Errorf("names %v", names)
	}
}

// Without peers nothing in the state tells of them: it is what earlier versions
// write and read.
func TestStateWithoutPeers(t *testing.T) {
	dir := t.TempDir()
	save(t, dir, "ppTSN_best", sample(t, 1, 0, 4, 1))
	b, err := os.ReadFile(filepath.Join(dir, "ppTSN_best.pptsn.json"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	if strings.Contains(text, "peer") || !strings.Contains(text, "\n  \"pdparams\": {\n    \"bytes\":") || !strings.HasSuffix(text, "\"\n  }\n}\n") {
		t.Errorf("the state is\n%s", text)
	}
}

// A checkpoint whose peer is damaged or gone is not whole.
func TestDamagedPeer(t *testing.T) {
	for _, tc := range []struct {
		file   string
		damage func(path string) error
	}{
		{"_Teacher.pdparams", os.Remove},
		{"_Tutor_2.pdopt", os.Remove},
		{"_Tutor_2.pdparams", func(path string) error { return os.Truncate(path, 20) }},
		{"_Teacher.pdopt", flip},
	} {
		dir := t.TempDir()
		save(t, dir, "ppTSN_epoch_00001", withPeers(t, 1, 0))
		save(t, dir, "ppTSN_epoch_00002", withPeers(t, 2, 0))
		path := filepath.Join(dir, "ppTSN_epoch_00002")
		if err := tc.damage(path + tc.file); err != nil {
			t.Fatal(err)
		}
		if _, err := checkpoint.Open(path); err == nil || !strings.Contains(err.Error(), path+tc.file) {
			t.Errorf("%s damaged: error is %v, want one that names it", tc.file, err)
		}
		name, warnings, err := checkpoint.Latest(dir, model)
		if name != "ppTSN_epoch_00001" || err != nil || len(warnings) != 1 || !strings.Contains(warnings[0].Error(), path+tc.file) {
			t.Errorf("%s damaged: Latest: %s, %v, %v", tc.file, name, warnings, err)
		}
	}
}

func flip(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	b[len(b)/2] ^= 1
	return os.WriteFile(path, b, 0o600)
}

func TestPruneAndSweepPeers(t *testing.T) {
	dir := t.TempDir()
	save(t, dir, "ppTSN_epoch_00002_iter_000100", withPeers(t, 1, 100))
	save(t, dir, "ppTSN_epoch_00002_iter_000200", withPeers(t, 1, 200))
	save(t, dir, "ppTSN_epoch_00002", withPeers(t, 2, 0))
	want := filesOf("ppTSN_epoch_00002")
	for _, name := range []string{
		"ppTSN_epoch_00002_iter_000200_kept.pdparams",                                                                                       // a copy that a user made
		"ppTSN_epoch_00002_iter_000100_notes.txt", "ppTSN_epoch_00002_iter_0001000.pdopt", "ppTSN_v2_epoch_00002_iter_000100_Teacher.pdopt", // of others
	} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		want = append(want, name)
	}
	if err := os.WriteFile(filepath.Join(dir, ".ppTSN_epoch_00003_Teacher.pdopt.12.tmp"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	// A removal that a kill cut off behind its first file goes on.
	if err := os.Remove(filepath.Join(dir, "ppTSN_epoch_00002_iter_000100.pptsn.json")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(checkpoint.Prune(dir, model, "ppTSN_epoch_00002"), checkpoint.Sweep(dir, "ppTSN_")); err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	if got := files(t, dir); !slices.Equal(got, want) {
		t.Errorf("left\n%v, want\n%v", got, want)
	}
}

func TestSetAsideLeavesPeers(t *testing.T) {
	dir := t.TempDir()
	save(t, dir, "ppTSN_epoch_00001", withPeers(t, 1, 0))
	if names, err := checkpoint.SetAside(dir, model, ""); len(names) != 1 || err != nil {
		t.Fatal(names, err)
	}
	if _, warnings, err := checkpoint.Latest(dir, model); !errors.Is(err, checkpoint.ErrNone) || warnings != nil {
		t.Errorf("Latest: %v, %v", warnings, err)
	}
	if got := files(t, dir); len(got) != 7 || !slices.Contains(got, "ppTSN_epoch_00001_Teacher.pdparams") {
		t.Errorf("left %v", got)
	}
}

func TestPeerNames(t *testing.T) {
	for _, tc := range []struct {
		name string
		ok   bool
	}{
		{"Teacher", true}, {"T2_b", true}, {"iter", true},
		{"", false}, {"../T", false}, {"a.b", false}, {"2", false}, {"iter_000120", false}, {strings.Repeat("a", 65), false},
	} {
		c := sample(t, 1, 0, 4, 1)
		c.Peers = []checkpoint.Peer{{tc.name, network(t, 4, 1)}}
		dir := t.TempDir()
		err := checkpoint.Save(dir, "ppTSN_epoch_00001", c)
		if (err == nil) != tc.ok || (checkpoint.CheckPeer(tc.name) == nil) != tc.ok {
			t.Errorf("%q: error is %v", tc.name, err)
		}
		if left := files(t, dir); !tc.ok && len(left) > 0 {
			t.Errorf("%q: left %v", tc.name, left)
		}
	}
	c := withPeers(t, 1, 0)
	c.Peers[1].Name = "Teacher"
	if err := checkpoint.Save(t.TempDir(), "ppTSN_best", c); err == nil || !strings.Contains(err.Error(), "two networks") {
		t.Errorf("the same name twice: %v", err)
	}
}

// A run that writes over checkpoints of one with other peers is never given
// those, and can say that their files are not its own.
func TestPeersOfAnEarlierRun(t *testing.T) {
	dir := t.TempDir()
	names := []string{checkpoint.EpochName(model, 1), checkpoint.IterName(model, 2, 100), checkpoint.BestName(model)}
	for _, name := range names {
		save(t, dir, name, withPeers(t, 1, 0))
	}
	now := sample(t, 1, 0, 12, 0.5)
	now.Peers = []checkpoint.Peer{{"Teacher", network(t, 7, 0.7)}}
	for _, tc := range []struct {
		run   *checkpoint.Checkpoint
		peers []string // of it
		want  []string // names behind a checkpoint's
	}{
		{now, []string{"Teacher"}, []string{"_Tutor_2"}},
		{sample(t, 1, 0, 12, 0.9), nil, []string{"_Teacher", "_Tutor_2"}},
	} {
		var want []string
		for _, name := range names {
			save(t, dir, name, tc.run)
			got, err := checkpoint.Open(filepath.Join(dir, name))
			if err != nil || !reflect.DeepEqual(got.Peers, tc.run.Peers) || !reflect.DeepEqual(got.Network, tc.run.Network) {
				t.Errorf("%s is not what was saved last: %v", name, err)
			}
			for _, end := range tc.want {
				want = append(want, name+end)
			}
		}
		slices.Sort(want)
		if got, err := checkpoint.Strangers(dir, model, tc.peers); !slices.Equal(got, want) || err != nil {
			t.Errorf("strangers to %v: %v, %v, want %v", tc.peers, got, err, want)
		}
	}
}

func TestStrangers(t *testing.T) {
	dir := t.TempDir()
	for _, file := range []string{
		"ppTSN_best.pdparams", "ppTSN_epoch_00001.pdopt", "ppTSN_epoch_00002_iter_000100.pdopt", "ppTSN_best_epoch_00001.pdparams", // checkpoints
		"ppTSN_v2_best_T.pdparams", "other_best_T.pdparams", "ppTSN_best_T.pptsn.json", "ppTSN_best_T.txt", "ppTSN_epoch_1_T.pdopt", "ppTSN_best_2.pdopt", // nothing like a peer of ppTSN
		"ppTSN_best_kept.pdparams", "ppTSN_epoch_00001_T.pdopt", "ppTSN_epoch_00001_T.pdparams",
	} {
		if err := os.WriteFile(filepath.Join(dir, file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"ppTSN_best_kept", "ppTSN_epoch_00001_T"}
	if got, err := checkpoint.Strangers(dir, model, nil); !slices.Equal(got, want) || err != nil {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if _, err := checkpoint.Strangers(filepath.Join(dir, "absent"), model, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}
