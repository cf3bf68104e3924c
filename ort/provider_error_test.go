package ort_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/ort"
)

func sum() *graph.Graph {
	g := graph.New("sum")
	x := g.Input("x", graph.Unknown, 2)
	g.Output(g.Must("y", graph.Binary{Op: graph.Add}, x, x))
	return g
}

// A library for CPUs says which file of the provider it lacks, and where to get
// it.
func TestProviderNotInLibrary(t *testing.T) {
	needLibrary(t)
	library, err := ort.Load("")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(library), "libonnxruntime_providers_shared.so")); err == nil {
		t.Skip("the library has providers: ", library)
	}
	for _, tc := range []struct {
		p     ort.Provider
		wants []string
	}{
		{ort.CUDA, []string{"libonnxruntime_providers_cuda.so", "onnxruntime-gpu", ort.LibraryVariable}},
		{ort.TensorRT, []string{"libonnxruntime_providers_tensorrt.so", "onnxruntime-gpu"}},
		{ort.OpenVINO, []string{"libonnxruntime_providers_openvino.so", "onnxruntime-openvino"}},
	} {
		_, err := ort.Compile(sum(), nil, ort.Options{Provider: tc.p, MaxBatch: 4})
		missing := new(ort.ProviderError)
		if !errors.As(err, &missing) || missing.Provider != tc.p || missing.Missing != tc.wants[0] || missing.NeededBy != "" {
			t.Errorf("%s: error %v", tc.p, err)
			continue
		}
		if same := ort.Available(tc.p); same == nil || !strings.Contains(err.Error(), same.Error()) {
			t.Errorf("%s: Available says %v", tc.p, same)
		}
		for _, want := range append(tc.wants, library) {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: the message lacks %q: %v", tc.p, want, err)
			}
		}
	}
}

// A provider whose own libraries are absent, as on a machine without cuDNN: the
// files are there, made with the C compiler, and the dynamic loader is asked.
func TestProviderWithoutItsLibraries(t *testing.T) {
	needLibrary(t)
	library, err := ort.Load("")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(library, filepath.Join(dir, "libonnxruntime.so.1")); err != nil {
		t.Fatal(err)
	}
	buildLibrary(t, dir, "libonnxruntime_providers_shared.so", "void Provider_SetHost(void *p) {}")
	buildLibrary(t, dir, "libcudnn.so.9", "int cudnn(void) { return 9; }")
	buildLibrary(t, dir, "libonnxruntime_providers_cuda.so", "int cudnn(void); int use(void) { return cudnn(); }", filepath.Join(dir, "libcudnn.so.9"))
	if err := os.Remove(filepath.Join(dir, "libcudnn.so.9")); err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0], "-test.run=^TestProviderInChild$", "-test.v")
	child.Env = append(os.Environ(), "PROVIDER_IN_CHILD=1", ort.LibraryVariable+"="+dir)
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := "provider cuda: libonnxruntime_providers_cuda.so needs libcudnn.so.9, which this machine does not have where it looks for libraries: install cuDNN 9, and name the folder in LD_LIBRARY_PATH"
	if !strings.Contains(string(out), want) {
		t.Errorf("got %s\nwant %s", out, want)
	}
}

func TestProviderInChild(t *testing.T) {
	if os.Getenv("PROVIDER_IN_CHILD") == "" {
		t.Skip("TestProviderWithoutItsLibraries runs it")
	}
	_, err := ort.Compile(sum(), nil, ort.Options{Provider: ort.CUDA})
	if missing := new(ort.ProviderError); !errors.As(err, &missing) || missing.NeededBy == "" {
		t.Errorf("error %v is no ProviderError of another file", err)
	}
	t.Log(err)
}

func buildLibrary(t *testing.T, dir, name, source string, libraries ...string) {
	t.Helper()
	file := filepath.Join(dir, name+".c")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"-shared", "-fPIC", "-Wl,-soname," + name, "-o", filepath.Join(dir, name), file}, libraries...)
	if out, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, out)
	}
}

func TestAvailable(t *testing.T) {
	needLibrary(t)
	if err := ort.Available(ort.CPU); err != nil {
		t.Error(err)
	}
}

func TestPrecisionOfGraph(t *testing.T) {
	if _, err := ort.Compile(sum(), nil, ort.Options{Precision: graph.INT8}); err == nil || !strings.Contains(err.Error(), "graph.Quantize") {
		t.Errorf("int8 without 8-bit numbers: error %v", err)
	}
	refused := new(ort.PrecisionError)
	if _, err := ort.Compile(sum(), nil, ort.Options{Precision: graph.BF16}); !errors.As(err, &refused) || refused.Provider != ort.CPU {
		t.Errorf("bf16 on the CPU: error %v", err)
	}
}
