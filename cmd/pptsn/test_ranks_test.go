package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// outputs runs the program and returns its exit code, standard output and
// error, and the files in dir with their contents.
func outputs(t *testing.T, cmd *exec.Cmd, dir string) (code int, stdout, stderr string, files map[string]string) {
	t.Helper()
	var out, err strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &err
	cmd.Run()
	files = map[string]string{}
	paths, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = string(b)
	}
	return cmd.ProcessState.ExitCode(), out.String(), err.String(), files
}

// However many processes share the list, among them some without a clip: what is
// printed and written is byte for byte that of one process.
func TestTestRanks(t *testing.T) {
	f := makeTestFixture(t)
	var long strings.Builder // 31 lines, a prime
	for i := range 31 {
		fmt.Fprintf(&long, "%s %d\n", []string{"first.mp4", "a clip.mp4", "last.mp4", "missing.mp4"}[i*3%7%4], i%3)
	}
	for name, list := range map[string]string{"31": writeFile(t, filepath.Join(t.TempDir(), "31.list"), long.String()), "5": f.list} {
		results := map[string]string{}
		for _, procs := range []string{"1", "2", "3"} {
			dir := t.TempDir()
			args := []string{"test", "-c", f.config, "-w", f.weights, "-o", "DATASET.test.file_path=" + list,
				"--dump", filepath.Join(dir, "scores.jsonl"), "--output", dir, "--nproc", procs, "--timeout", "60s"}
			code, stdout, stderr, files := outputs(t, child(t, nil, args...), dir)
			if code != 1 || len(files) != 6 || !strings.Contains(stderr, "could not be read and count as wrong") || strings.Contains(stderr, "failed: exit status") {
				t.Errorf("%s clips, %s processes: exit code %d, %d files: %s", name, procs, code, len(files), stderr)
			}
			results[procs] = stdout + fmt.Sprint(files)
		}
		if results["2"] != results["1"] || results["3"] != results["1"] {
			t.Errorf("%s clips: one process says\n%s\ntwo\n%s\nthree\n%s", name, results["1"], results["2"], results["3"])
		}
	}
}

// An error of one rank is the run's.
func TestTestRanksFail(t *testing.T) {
	f := makeTestFixture(t)
	args := []string{"test", "-c", f.config, "-w", "none.pdparams", "--nproc", "2"}
	code, stdout, stderr, _ := outputs(t, child(t, nil, args...), t.TempDir())
	if code != 1 || stdout != "" || !strings.Contains(stderr, "none.pdparams") {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
}
