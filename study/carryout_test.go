package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// standIn takes the place of pptsn: it leaves the files that the study reads,
// and a line of what it was asked for.
const standIn = `#!/bin/sh
[ "$1" = prepare ] && echo "$1 $2" >> calls || echo "$1 $3" >> calls
case "$1 $2" in
"prepare folder") ;;
"prepare frames") mkdir -p frames; for c in 0 1; do for g in 1 2 3 4 5; do echo "$c/v_g0${g}_c1 9 $c"; done; done > frames/train_frames.list ;;
train*)
	dir=$(sed -n 's/^output_dir: "\(.*\)"$/\1/p' "$3")
	mkdir -p "$dir"
	echo '{"split":"train_avg","loss":2.5}' > "$dir/metrics.jsonl"
	echo '{"split":"train_avg","loss":1.5}' >> "$dir/metrics.jsonl"
	grep -q broken fail 2>/dev/null && exit 1
	touch "$dir/model_epoch_00030.pdparams" ;;
test*)
	for dump; do :; done
	echo '{"row":0,"line":1,"file":"a","label":0,"scores":[1,0]}' > "$dump"
	echo '{"row":1,"line":2,"file":"b","label":1,"scores":[1,0]}' >> "$dump" ;;
esac
`

func TestStudyGoesOnWhereItStopped(t *testing.T) {
	dir := t.TempDir()
	o := options{pptsn: filepath.Join(dir, "pptsn"), data: dir, group: `_g\d+_`, work: filepath.Join(dir, "work"), docs: filepath.Join(dir, "docs"),
		jobs: 2, seeds: 1, only: "pptsn,pptsn-kd,tsn"}
	check(t, os.WriteFile(o.pptsn, []byte(standIn), 0o755))
	check(t, os.Mkdir(o.work, 0o755))
	tasks, err := o.tasks()
	check(t, err)

	fail := filepath.Join(o.work, "fail")
	check(t, os.WriteFile(fail, []byte("broken"), 0o644))
	if err := o.carryOut(t.Context(), tasks); err == nil || !strings.Contains(err.Error(), "pptsn train") {
		t.Errorf("%v, want an error that names pptsn train", err)
	}
	check(t, os.Remove(fail))
	check(t, o.carryOut(t.Context(), tasks))
	for _, task := range tasks {
		r, err := readRecord(o.recordPath(task))
		check(t, err)
		if r == nil || r.TrainLoss != 1.5 || r.TenCrop.Correct != 1 || r.Center.Videos != 2 || len(r.Clips) != 2 {
			t.Errorf("%s: %+v", task.Name, r)
		}
	}
	before := calls(t, o)
	check(t, o.carryOut(t.Context(), tasks)) // all is done
	check(t, os.Remove(o.recordPath(tasks[2])))
	check(t, o.carryOut(t.Context(), tasks)) // tsn is not
	want := []string{"prepare folder", "prepare frames", "train runs/tsn-s0.yaml", "test runs/tsn-s0.center.yaml", "test runs/tsn-s0.yaml"}
	if got := calls(t, o)[len(before):]; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestStudyCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	o := options{pptsn: "/bin/false", data: dir, group: "x", work: filepath.Join(dir, "work"), docs: dir, jobs: 1, seeds: 1}
	tasks, err := o.tasks()
	check(t, err)
	if err := o.carryOut(ctx, tasks); err == nil {
		t.Error("no error although it was cancelled")
	}
}

func calls(t *testing.T, o options) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(o.work, "calls"))
	check(t, err)
	return strings.Split(strings.TrimSpace(string(b)), "\n")
}
