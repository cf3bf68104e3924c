package checkpoint_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/checkpoint"
	"github.com/pptsn/pptsn/pdparams"
	"github.com/pptsn/pptsn/tensor"
)

const model = "ppTSN"

// sample is a small checkpoint with numbers that fill all their digits. All
// elements of its tensors are v.
func sample(t testing.TB, epochs, iterations, elements int, v float32) *checkpoint.Checkpoint {
	t.Helper()
	return &checkpoint.Checkpoint{
		Network:     network(t, elements, v),
		LRScheduler: scheduler(float64(epochs)+1.0/3, 0.005068),
		State: checkpoint.State{
			Model: model, Seed: math.MaxUint64, Epochs: epochs, Iterations: iterations, Total: epochs*300 + iterations, Batches: 300,
			Best:   checkpoint.Best{Top1: 0.7004 / 3, Epoch: epochs},
			Scaler: &checkpoint.Scaler{Scale: 65536, Good: 17},
			Sums:   checkpoint.Sums{Loss: checkpoint.Sum{Total: 1.0 / 3, Weight: 120}, Clips: 120},
			Run:    checkpoint.Run{Network: "ResNet50_vd", List: "ab12", Batch: 8, Settings: map[string]string{"OPTIMIZER": "Momentum"}},
		},
	}
}

func network(t testing.TB, elements int, v float32) checkpoint.Network {
	t.Helper()
	n := checkpoint.Network{
		Params: []pdparams.Entry{
			{Name: "backbone.conv1._conv.weight", Tensor: filled(v, elements)},
			{Name: "backbone.conv1._batch_norm._mean", Tensor: filled(v, 3)},
		},
		ParamNames: map[string]string{
			"backbone.conv1._conv.weight":      "conv2d_0.w_0",
			"backbone.conv1._batch_norm._mean": "batch_norm_0.w_1",
		},
	}
	if err := n.AddSlot(checkpoint.Velocity, "backbone.conv1._conv.weight", filled(-v, elements)); err != nil {
		t.Fatal(err)
	}
	return n
}

func filled(v float32, n int) *tensor.Dense {
	values := make([]float32, n)
	for i := range values {
		values[i] = v
	}
	return tensor.FromFloat32(values, n)
}

func save(t testing.TB, dir, name string, c *checkpoint.Checkpoint) {
	t.Helper()
	if err := checkpoint.Save(dir, name, c); err != nil {
		t.Fatal(err)
	}
}

func TestOpenReturnsWhatWasSaved(t *testing.T) {
	dir := t.TempDir()
	want := sample(t, 1, 120, 12, 0.1)
	name := checkpoint.IterName(model, 2, 120)
	save(t, dir, name, want)
	for _, ext := range []string{"", ".pdparams", ".pdopt", ".pptsn.json"} {
		got, err := checkpoint.Open(filepath.Join(dir, name+ext))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got.State, want.State) || !reflect.DeepEqual(got.ParamNames, want.ParamNames) {
			t.Errorf("state %+v\nwant  %+v", got.State, want.State)
		}
		if !reflect.DeepEqual(got.Params, want.Params) || !reflect.DeepEqual(got.Optim, want.Optim) {
			t.Error("tensors differ")
		}
		if position, _ := got.LRScheduler.Get("last_epoch"); position != 1+1.0/3 {
			t.Errorf("position %v", position)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 3 {
		t.Errorf("%d files, want 3", len(entries))
	}
}

// Names as in PaddleVideo's output folders; the iteration is ours.
func TestNames(t *testing.T) {
	for _, tc := range []struct{ got, want string }{
		{checkpoint.EpochName("ppTSN", 1), "ppTSN_epoch_00001"},
		{checkpoint.BestName("ppTSN"), "ppTSN_best"},
		{checkpoint.IterName("ppTSN", 2, 120), "ppTSN_epoch_00002_iter_000120"},
	} {
		if tc.got != tc.want {
			t.Errorf("%s, want %s", tc.got, tc.want)
		}
	}
}

// A loss of NaN would make a state that JSON cannot hold: nothing is written.
func TestSaveRefusesNumbersItCannotWrite(t *testing.T) {
	dir := t.TempDir()
	c := sample(t, 1, 0, 4, 1)
	c.State.Sums.Loss.Total = math.NaN()
	if err := checkpoint.Save(dir, "a", c); err == nil || !strings.Contains(err.Error(), "NaN") {
		t.Errorf("error %v, want one about NaN", err)
	}
	c = sample(t, 1, 301, 4, 1)
	if err := checkpoint.Save(dir, "a", c); err == nil {
		t.Error("301 iterations done in an epoch of 300: no error")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("%d files left, want none", len(entries))
	}
}

func TestOpenNoticesDamage(t *testing.T) {
	for _, tc := range []struct {
		name   string
		ext    string
		change func([]byte) []byte
		want   string
	}{
		{"flipped byte", ".pdparams", func(b []byte) []byte { b[len(b)/2] ^= 1; return b }, "damaged"},
		{"cut", ".pdopt", func(b []byte) []byte { return b[:len(b)-1] }, "bytes, not"},
		{"newer version", ".pptsn.json", func(b []byte) []byte { return bytes.Replace(b, []byte(`"version": 1`), []byte(`"version": 2`), 1) }, "version 2"},
		{"unknown key", ".pptsn.json", func(b []byte) []byte { return bytes.Replace(b, []byte(`"seed"`), []byte(`"sead"`), 1) }, "sead"},
		{"empty", ".pptsn.json", func(b []byte) []byte { return nil }, "JSON"},
		{"huge", ".pptsn.json", func(b []byte) []byte { return append(b, make([]byte, 1<<20)...) }, "more than"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), model+"_epoch_00001")
			save(t, filepath.Dir(path), filepath.Base(path), sample(t, 1, 0, 100, 1))
			b, err := os.ReadFile(path + tc.ext)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path+tc.ext, tc.change(b), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err = checkpoint.Open(path)
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), path+tc.ext) {
				t.Errorf("error %v, want one with %q that names %s", err, tc.want, tc.ext)
			}
		})
	}
}

func TestRunCheckNamesAllChanges(t *testing.T) {
	was := checkpoint.Run{Network: "ResNet50_vd", List: "ab", Batch: 8, Settings: map[string]string{"MIX": "Mixup", "OPTIMIZER": "SGD"}}
	if err := was.Check(was); err != nil {
		t.Error(err)
	}
	now := was
	now.Batch, now.Network, now.Settings = 16, "ResNet18_vd", map[string]string{"OPTIMIZER": "SGD", "--amp": "O1"}
	err := was.Check(now)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"batch size", `"8"`, `"16"`, "ResNet18_vd", "MIX was Mixup and is", "--amp was  and is O1"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not contain %q", err, want)
		}
	}
	if strings.Contains(err.Error(), "OPTIMIZER") {
		t.Errorf("error %q names what did not change", err)
	}
}

// The SHA-256 of "abc" is in FIPS 180-2, appendix B.1.
func TestHashFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "train.list")
	if err := os.WriteFile(path, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	const want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if got, err := checkpoint.HashFile(path); got != want || err != nil {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
}

func FuzzOpenState(f *testing.F) {
	dir := f.TempDir()
	if err := checkpoint.Save(dir, "a", sample(f, 1, 2, 4, 1)); err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "a.pptsn.json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"version": 1}`))
	f.Add(bytes.Replace(b, []byte(`"pdparams"`), []byte(`"peers": [{"name": "../a", "pdparams": {}, "pdopt": {}}], "pdparams"`), 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, "a.pptsn.json"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := checkpoint.Open(filepath.Join(dir, "a"))
		if err == nil && (c.State.Epochs < 0 || c.State.Iterations > c.State.Batches) {
			t.Errorf("accepted %+v", c.State)
		}
	})
}

// scheduler is a dict as LR_Scheduler holds it.
func scheduler(position, rate float64) *pdparams.Dict {
	d := &pdparams.Dict{}
	d.Set("last_epoch", position)
	d.Set("last_lr", rate)
	return d
}
