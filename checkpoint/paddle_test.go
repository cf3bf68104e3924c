package checkpoint_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/checkpoint"
	"github.com/pptsn/pptsn/internal/testdata"
)

// adopt copies a pair that Paddle wrote under a name of PaddleVideo's.
func adopt(t *testing.T, dir, name, pair string) string {
	t.Helper()
	to := filepath.Join(dir, name)
	for _, ext := range []string{".pdparams", ".pdopt"} {
		b, err := os.ReadFile(filepath.Join(testdata.Shared(t), "data", "paddle", pair+ext))
		if err != nil {
			t.Skip("real Paddle files:", err)
		}
		if err := os.WriteFile(to+ext, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// A real pair with Momentum, read and saved again, is the same to the byte: so
// what we write is what Paddle writes, with keys, LR_Scheduler and table.
func TestSavedPairIsPaddlesOwn(t *testing.T) {
	path := adopt(t, t.TempDir(), "YOLO_epoch_00007", "yolo-mobilenetv3-paddlex/model")
	c, err := checkpoint.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	// Its LR_Scheduler has last_epoch 1260: 7 epochs of 180 iterations.
	if s := c.State; !s.Foreign || s.Model != "YOLO" || s.Epochs != 7 {
		t.Errorf("state %+v", s)
	}
	dir := t.TempDir()
	c.State.Foreign = false
	save(t, dir, "YOLO_epoch_00007", c)
	for _, ext := range []string{".pdparams", ".pdopt"} {
		want, err := os.ReadFile(path + ext)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(dir, "YOLO_epoch_00007"+ext))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs from the one that Paddle wrote (%d bytes, %d)", ext, len(got), len(want))
		}
	}
	velocity, err := c.Slots(checkpoint.Velocity)
	if err != nil {
		t.Fatal(err)
	}
	// backbone.conv1.conv.weight is conv2d_0.w_0, says the file's table; 358
	// tensors less 128 running statistics of 64 batch norms have a velocity.
	if v := velocity["backbone.conv1.conv.weight"]; v == nil || v.Shape[0] != 8 || len(velocity) != 230 {
		t.Errorf("%d velocities, first %v", len(velocity), v)
	}
}

// Keys of a real file of Adam. Two structured names share each parameter of its
// LSTM, and it has no LR_Scheduler.
func TestAdamSlots(t *testing.T) {
	c, err := checkpoint.Open(adopt(t, t.TempDir(), "LSTM_epoch_00001", "lstm-adam/final"))
	if err != nil {
		t.Fatal(err)
	}
	if c.LRScheduler != nil || c.State.Total != 0 {
		t.Errorf("scheduler %v, total %d", c.LRScheduler, c.State.Total)
	}
	for _, s := range []checkpoint.Slot{checkpoint.Moment1, checkpoint.Moment2, checkpoint.Beta1Pow, checkpoint.Beta2Pow} {
		found, err := c.Slots(s)
		if err != nil {
			t.Fatal(err)
		}
		a, b := found["rnn.weight_ih_l0"], found["rnn.0.cell.weight_ih"]
		if len(found) != 10 || a == nil || a != b || found["fc.bias"] == nil {
			t.Errorf("%s: %d names, %v and %v", s, len(found), a, b)
		}
		for _, e := range c.Optim {
			if param, slot, ok := checkpoint.ParseOptimKey(e.Name); !ok || checkpoint.OptimKey(param, slot) != e.Name {
				t.Errorf("key %s: %s, %s, %v", e.Name, param, slot, ok)
			}
		}
	}
	delete(c.ParamNames, "fc.bias")
	if _, err := c.Slots(checkpoint.Moment1); err == nil || !strings.Contains(err.Error(), "linear_0.b_0") {
		t.Errorf("error %v, want one that names linear_0.b_0", err)
	}
	if err := c.AddSlot(checkpoint.Moment1, "fc.bias", nil); err == nil {
		t.Error("a slot of a parameter without a name: no error")
	}
}

// A pair without state under a name that does not tell its epoch, or within an
// epoch, cannot be gone on from.
func TestForeignPairNeedsAnEpoch(t *testing.T) {
	for _, name := range []string{"LSTM_best", "LSTM_epoch_00001_iter_000004", "LSTM_epoch_00000", "LSTM_epoch_000001"} {
		_, err := checkpoint.Open(adopt(t, t.TempDir(), name, "lstm-adam/final"))
		if err == nil || !strings.Contains(err.Error(), ".pptsn.json") {
			t.Errorf("%s: error %v, want one about .pptsn.json", name, err)
		}
	}
}
