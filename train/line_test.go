package train

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pptsn/pptsn/checkpoint"
)

// The lines that testdata/lines.py gets from PaddleVideo's own code. Their ends
// lack what the reference writes of a GPU's memory where there is none: ",  ".
func TestLinesAreTheReferences(t *testing.T) {
	var lines []line
	run := func(reports ...Report) {
		var sums checkpoint.Sums
		for _, r := range reports {
			r.AddTo(&sums)
			lines = append(lines, batchLine(r, sums))
		}
		lines = append(lines, epochLine(reports[0].Split, reports[0].Epoch, sums))
	}
	const second = time.Second
	run(Report{Split: SplitTrain, Epoch: 1, Epochs: 100, Batches: 4, Clips: 32, Loss: 5.99146, LR: 0.005, Top5: 0.03125, Took: second / 2, Waited: second / 4})
	run(Report{Split: SplitTrain, Epoch: 12, Epochs: 100, Batch: 20, Batches: 2000, Clips: 32, Loss: 12.5, LR: 4e-7, Top1: 1, Top5: 1, Took: 64 * second})
	run(Report{Split: SplitVal, Epoch: 3, Epochs: 80, Clips: 4, Loss: 0.25, Top1: 0.8438, Top5: 0.97393, Took: second / 8, Waited: second / 16},
		Report{Split: SplitVal, Epoch: 3, Epochs: 80, Batch: 1000, Clips: 4, Loss: 110.75, Top1: 0.5, Top5: 1, Took: 3 * second / 8})
	for file, show := range map[string]func(line) string{"lines.txt": line.plain, "lines-colored.txt": line.colored} {
		b, err := os.ReadFile("testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Split(strings.TrimSpace(string(b)), "\n")
		if len(want) != len(lines) {
			t.Fatalf("%s: %d lines, want %d", file, len(lines), len(want))
		}
		for i, l := range lines {
			if got, want := show(l), strings.TrimRight(want[i], ", "); got != want {
				t.Errorf("%s:%d:\n got %q\nwant %q", file, i+1, got, want)
			}
		}
	}
}

// As Python prints int(best * 10000) / 10000.
func TestBestLine(t *testing.T) {
	for _, tc := range []struct {
		top1 float64
		want string
	}{
		{0.70049, "0.7004"}, {0.7, "0.7"}, {1, "1.0"}, {0.00001, "0.0"}, {2.0 / 3, "0.6666"},
	} {
		if got := bestLine(tc.top1).plain(); got != "Already save the best model (top1 acc)"+tc.want {
			t.Errorf("%v: %s, want %s", tc.top1, got, tc.want)
		}
	}
}

// As Python's str(timedelta(seconds=...)).
func TestClock(t *testing.T) {
	for _, tc := range []struct {
		seconds int
		want    string
	}{
		{0, "0:00:00"}, {62, "0:01:02"}, {37230, "10:20:30"}, {86399, "23:59:59"},
		{86400 + 7384, "1 day, 2:03:04"}, {3 * 86400, "3 days, 0:00:00"},
	} {
		if got := clock(time.Duration(tc.seconds)*time.Second + time.Second/2); got != tc.want {
			t.Errorf("%d s: %s, want %s", tc.seconds, got, tc.want)
		}
	}
}

func TestMemoryOfAGPU(t *testing.T) {
	r := Report{Split: SplitTrain, Epoch: 1, Epochs: 1, Batches: 1, Clips: 1, Took: time.Second, Allocated: 5 << 19}
	const want = ", eta: 0:00:00, max_mem_allocated: 2.50 MB"
	if got := batchLine(r, checkpoint.Sums{}).plain(); !strings.HasSuffix(got, want) {
		t.Errorf("%s\nwant an end of %s", got, want)
	}
}
