package main

import (
	"bytes"
	"encoding/csv"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// manyInputs is a list of videos, of which some fail.
func manyInputs(t *testing.T, f fixture, n int) string {
	t.Helper()
	dir := t.TempDir()
	short := filepath.Join(dir, "a, \"short\" ünï clip.mkv")
	makeClip(t, short, 3)
	text := writeFile(t, filepath.Join(dir, "text.mp4"), "no video")
	var list strings.Builder
	for i := range n {
		switch i % 5 {
		case 1:
			list.WriteString(short + "\n")
		case 3:
			list.WriteString(text + "\n")
		case 4:
			list.WriteString(filepath.Join(dir, "absent-"+strconv.Itoa(i)+".mp4\n"))
		default:
			list.WriteString(f.clip + "\n")
		}
	}
	return writeFile(t, filepath.Join(dir, "many.list"), list.String())
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// A run that is killed at any moment, by a signal that it can answer or one that it
// cannot, goes on to the bytes of one run.
func TestPredictResumeAfterKill(t *testing.T) {
	f := makeFixture(t)
	list := manyInputs(t, f, 18)
	rng := rand.New(rand.NewPCG(1, 2))
	for _, form := range [][]string{{"--json", "--batch_size", "1"}, {"--csv", "--batch_size", "3", "--top_k", "3"}} {
		args := append([]string{"predict", "-m", f.model, "--cpu_threads", "1", list}, form...)
		whole, killed := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "killed")
		code, _, stderr := command(t, "", append(args, "--output", whole)...)
		if code != 1 || !strings.Contains(stderr, "12 videos classified, 6 failed") {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		kills := 0
		for killWhenGrown(t, child(t, nil, append(args, "--output", killed, "--resume")...), killed, 3+rng.IntN(5), kills%2 == 1) {
			kills++
		}
		if kills == 0 {
			t.Error("no run was killed")
		}
		if got, want := readFile(t, killed), readFile(t, whole); got != want {
			t.Errorf("%v: after %d kills:\n%s\nwant\n%s", form, kills, got, want)
		}
	}
}

// killWhenGrown ends a run once its output has so many more lines; false if it came to
// its own end before.
func killWhenGrown(t *testing.T, run *exec.Cmd, output string, lines int, hard bool) bool {
	t.Helper()
	count := func() int {
		data, _ := os.ReadFile(output)
		return bytes.Count(data, []byte("\n"))
	}
	lines += count()
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- run.Wait() }()
	sent := false
	for {
		select {
		case <-ended:
			code := run.ProcessState.ExitCode()
			if killed := code == 130 || code == -1; killed || code != 1 {
				if !killed || !sent {
					t.Fatalf("exit code %d", code)
				}
				return true
			}
			return false // 1: some videos failed
		case <-time.After(time.Millisecond):
			if sent || count() < lines {
				continue
			}
			sent = true
			if hard {
				run.Process.Kill()
			} else {
				run.Process.Signal(os.Interrupt)
			}
		}
	}
}

// Wherever the file was cut off, the rest is made again; of a file that is whole
// nothing is lost.
func TestPredictResumeTornFile(t *testing.T) {
	f := makeFixture(t)
	list := manyInputs(t, f, 5)
	for _, form := range []string{"--json", "--csv"} {
		out := filepath.Join(t.TempDir(), "out")
		args := []string{"predict", "-m", f.model, list, form, "--output", out}
		if code, _, stderr := command(t, "", args...); code != 1 {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		whole := readFile(t, out)
		for cut := len(whole); cut >= 0; cut -= 1 + len(whole)/4 {
			writeFile(t, out, whole[:cut])
			code, stdout, stderr := command(t, "", append(args, "--resume")...)
			if got := readFile(t, out); code != 1 || stdout != "" || got != whole {
				t.Errorf("%s cut at %d of %d: exit code %d, %s, file\n%s\nwant\n%s", form, cut, len(whole), code, stderr, got, whole)
			}
		}
		if strings.Contains(whole, `"ms"`) {
			t.Error("times are in a file that runs must agree on")
		}
	}
}

// A full disk ends a run with the way to go on; once there is room that gives the
// file of one run.
func TestPredictFullDisk(t *testing.T) {
	f := makeFixture(t)
	list := manyInputs(t, f, 50)
	whole := filepath.Join(t.TempDir(), "whole.jsonl")
	if code, _, stderr := command(t, "", "predict", "-m", f.model, list, "--json", "--output", whole); code != 1 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=8k", "pptsn-test", dir).CombinedOutput(); err != nil {
		t.Skipf("no small file system can be mounted here: %s", out)
	}
	t.Cleanup(func() { exec.Command("umount", dir).Run() })
	out := filepath.Join(dir, "out.jsonl")
	args := []string{"predict", "-m", f.model, list, "--json", "--output", out}
	code, _, stderr := command(t, "", args...)
	if code != 1 || !strings.Contains(stderr, "no space left") || !strings.Contains(stderr, "the results so far are in "+out+": go on with --resume") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if text, err := exec.Command("mount", "-o", "remount,size=1m", dir).CombinedOutput(); err != nil {
		t.Fatalf("%s", text)
	}
	code, _, stderr = command(t, "", append(args, "--resume")...)
	if code != 1 || strings.Contains(stderr, "go on with") || readFile(t, out) != readFile(t, whole) {
		t.Errorf("afterwards: exit code %d, %s, file\n%s", code, stderr, readFile(t, out))
	}
}

// What does not belong together is not continued, and the file stays as it was.
func TestPredictResumeRefused(t *testing.T) {
	f := makeFixture(t)
	list := manyInputs(t, f, 4)
	out := filepath.Join(t.TempDir(), "out.jsonl")
	args := []string{"predict", "-m", f.model, "--json", "--output", out}
	if code, _, stderr := command(t, "", append(args, list)...); code != 1 {
		t.Fatal(stderr)
	}
	before := readFile(t, out)
	lines := strings.SplitAfter(before, "\n")
	shorter := writeFile(t, filepath.Join(t.TempDir(), "shorter.list"), f.clip+"\n")
	swapped := writeFile(t, filepath.Join(t.TempDir(), "swapped.list"), filepath.Join(f.dir, "other.mp4")+"\n"+f.clip+"\n")
	for _, tc := range []struct {
		name string
		args []string
		file string
		want string
	}{
		{"no flag", []string{list}, before, "--resume, or begin anew with --overwrite"},
		{"top_k", []string{"--resume", "--top_k", "2", list}, before, "another --top_k"},
		{"batch", []string{"--resume", "-b", "2", list}, before, "another --batch_size"},
		{"preset", []string{"--resume", "--preset", "fast", list}, before, "another model"},
		{"shorter list", []string{"--resume", shorter}, before, "holds the results of 4 videos, the command line names 1"},
		{"other list", []string{"--resume", swapped}, before, "other.mp4"},
		{"damaged", []string{"--resume", list}, lines[0] + "{\n" + strings.Join(lines[1:], ""), "not written by pptsn predict"},
		{"foreign", []string{"--resume", list}, "my notes\nof yesterday\n", "not written by pptsn predict"},
	} {
		writeFile(t, out, tc.file)
		code, _, stderr := command(t, "", append(args, tc.args...)...)
		if got := readFile(t, out); code != 1 || !strings.Contains(stderr, tc.want) || got != tc.file {
			t.Errorf("%s: exit code %d, %s, want %q; file %q", tc.name, code, stderr, tc.want, got)
		}
	}
	nothing := filepath.Join(t.TempDir(), "nothing")
	if code, _, _ := command(t, "", "predict", "-m", "absent", "--json", "--output", nothing, f.clip); code != 1 {
		t.Errorf("without model: exit code %d", code)
	}
	if _, err := os.Stat(nothing); err == nil {
		t.Error("an empty file is left of a run that did not begin")
	}
	kept := writeFile(t, filepath.Join(t.TempDir(), "kept"), before)
	if code, _, _ := command(t, "", "predict", "-m", "absent", "--json", "--output", kept, "--overwrite", f.clip); code != 1 || readFile(t, kept) != before {
		t.Errorf("overwrite without a model: exit code %d, file %q", code, readFile(t, kept))
	}
	csvArgs := []string{"predict", "-m", f.model, "--csv", "--output", out, "--resume", list}
	if code, _, stderr := command(t, "", csvArgs...); code != 1 || !strings.Contains(stderr, "another form") {
		t.Errorf("other form: exit code %d, %s", code, stderr)
	}
	if code, _, _ := command(t, "", append(args, "--overwrite", f.clip)...); code != 0 || strings.Count(readFile(t, out), "\n") != 1 {
		t.Errorf("overwrite: exit code %d, file %q", code, readFile(t, out))
	}
	os.Remove(out + ".run.json")
	if code, _, stderr := command(t, "", append(args, "--resume", f.clip)...); code != 1 || !strings.Contains(stderr, "run.json") {
		t.Errorf("without its record: exit code %d, %s", code, stderr)
	}
}

// Two runs at a time do not write to one file.
func TestPredictOutputInUse(t *testing.T) {
	f := makeFixture(t)
	out := filepath.Join(t.TempDir(), "out")
	first, err := outputFlags{path: out}.open()
	if err != nil {
		t.Fatal(err)
	}
	code, _, stderr := command(t, "", "predict", "-m", f.model, "--json", "--output", out, f.clip)
	if code != 1 || !strings.Contains(stderr, "another run") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := command(t, "", "predict", "-m", f.model, "--json", "--output", out, f.clip); code != 0 {
		t.Errorf("afterwards: exit code %d, %s", code, stderr)
	}
}

// A table program reads any name back, and knows rows that failed.
func TestPredictCSV(t *testing.T) {
	f := makeFixture(t)
	dir := t.TempDir()
	names := []string{"a,b.mp4", "c \"d\".mp4", "e\nf.mp4", "z.mp4", "ünï ク.mp4"}
	for _, name := range names {
		data := readFile(t, f.clip)
		if name == "z.mp4" {
			data = "no, \"video\""
		}
		writeFile(t, filepath.Join(dir, name), data)
	}
	labels := writeFile(t, filepath.Join(t.TempDir(), "labels.txt"), "a, b\nc\"d\nü\nd\ne\nf\ng\n")
	code, stdout, stderr := command(t, "", "predict", "-m", f.model, "--csv", "--top_k", "20", "--labels", labels, dir)
	if code != 1 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	rows, err := csv.NewReader(strings.NewReader(stdout)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 6 || len(rows[0]) != 1+3*7+1 || strings.Join(rows[0][:4], " ") != "file class_1 name_1 score_1" || rows[0][22] != "error" {
		t.Fatalf("rows %q", rows)
	}
	for i, row := range rows[1:] {
		if row[0] != filepath.Join(dir, names[i]) {
			t.Errorf("row %d is of %q, want %q", i, row[0], names[i])
		}
		if failed := row[22] != ""; failed != (i == 3) || failed != (row[1] == "") {
			t.Errorf("row %q", row)
		}
		if i != 3 {
			class, _ := strconv.Atoi(row[1])
			if want := []string{"a, b", "c\"d", "ü", "d", "e", "f", "g"}[class]; row[2] != want {
				t.Errorf("class %d is called %q, want %q", class, row[2], want)
			}
		}
	}
}
