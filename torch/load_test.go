package torch_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/torch"
)

// alone runs a test in a process of its own, with the shim looked for in path:
// a process loads a shim once. It reports whether this is that process.
func alone(t *testing.T, path string) bool {
	t.Helper()
	const mark = "PPTSN_TEST_ALONE"
	if os.Getenv(mark) == t.Name() {
		return true
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), mark+"="+t.Name(), torch.ShimVariable+"="+path)
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name())) {
		t.Errorf("in a process of its own: %v\n%s", err, out)
	}
	return false
}

func TestLibtorchAbsent(t *testing.T) {
	if !alone(t, "/nonexistent") {
		return
	}
	for range 2 { // the second time as the first
		_, err := torch.NewSession(torch.SessionOptions{})
		var absent *torch.NotFoundError
		if !errors.As(err, &absent) {
			t.Fatalf("error is %v, want a NotFoundError", err)
		}
		for _, advice := range []string{"/nonexistent", "make torch", "LIBTORCH", torch.ShimVariable} {
			if !strings.Contains(err.Error(), advice) {
				t.Errorf("%q does not mention %q", err, advice)
			}
		}
	}
	if _, err := torch.Version(); !errors.As(err, new(*torch.NotFoundError)) {
		t.Errorf("Version: error is %v", err)
	}
	if _, err := torch.CUDADevices(); !errors.As(err, new(*torch.NotFoundError)) {
		t.Errorf("CUDADevices: error is %v", err)
	}
}

// A folder without the shim in it is the same as no folder.
func TestShimAbsentInFolder(t *testing.T) {
	if !alone(t, t.TempDir()) {
		return
	}
	if _, err := torch.Version(); !errors.As(err, new(*torch.NotFoundError)) {
		t.Errorf("error is %v, want a NotFoundError", err)
	}
}

func TestShimIsNoLibrary(t *testing.T) {
	file := filepath.Join(t.TempDir(), "text.so")
	if err := os.WriteFile(file, []byte("not a library"), 0o600); err != nil {
		t.Fatal(err)
	}
	if alone(t, file) {
		loadFails(t, "too short", "make torch")
	}
}

func TestShimWithoutEntry(t *testing.T) {
	file := compile(t, "int other(void) { return 1; }")
	if alone(t, file) {
		loadFails(t, "pptsn_torch", "make torch")
	}
}

// The table's first number says what the rest of it is.
func TestShimOfAnotherVersion(t *testing.T) {
	file := compile(t, "static const int table[64] = {999}; const void *pptsn_torch(void) { return table; }")
	if alone(t, file) {
		loadFails(t, "another version of pptsn", "interface 999", "make torch")
	}
}

// A libtorch that was updated beneath the shim lacks what the shim calls.
func TestShimOfAnotherLibtorch(t *testing.T) {
	file := compile(t, "void gone_from_libtorch(void); const void *pptsn_torch(void) { gone_from_libtorch(); return 0; }")
	if alone(t, file) {
		loadFails(t, "gone_from_libtorch", "make torch")
	}
}

func loadFails(t *testing.T, parts ...string) {
	t.Helper()
	_, err := torch.NewSession(torch.SessionOptions{})
	var fault *torch.LoadError
	if !errors.As(err, &fault) {
		t.Fatalf("error is %v, want a LoadError", err)
	}
	for _, part := range append(parts, os.Getenv(torch.ShimVariable)) {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not mention %q", err, part)
		}
	}
}

// compile makes a shared library of C source, in the parent process alone.
func compile(t *testing.T, source string) string {
	t.Helper()
	if os.Getenv("PPTSN_TEST_ALONE") != "" {
		return ""
	}
	cc, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("no C compiler")
	}
	file := filepath.Join(t.TempDir(), "shim.so")
	cmd := exec.Command(cc, "-shared", "-fPIC", "-x", "c", "-", "-o", file)
	cmd.Stdin = strings.NewReader(source)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return file
}

func TestDeviceAbsent(t *testing.T) {
	device(t)
	n, err := torch.CUDADevices()
	if err != nil {
		t.Fatal(err)
	}
	_, err = torch.NewSession(torch.SessionOptions{Device: torch.CUDA(n)})
	if err == nil || !strings.Contains(err.Error(), torch.CUDA(n).String()) || !strings.Contains(err.Error(), "CUDA devices") {
		t.Errorf("session on device %d of %d: error is %v", n, n, err)
	}
	if _, err := torch.NewSession(torch.SessionOptions{Device: torch.CUDA(-1)}); err == nil {
		t.Error("a session on device -1")
	}
}
