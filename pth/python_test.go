package pth_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/pth"
	"github.com/pptsn/pptsn/tensor"
)

// runPyTorch runs a script and returns the lines it prints.
func runPyTorch(t testing.TB, script string, args ...string) [][]byte {
	t.Helper()
	const python = "/usr/bin/python3"
	if err := exec.Command(python, "-c", "import torch, numpy").Run(); err != nil {
		t.Skip("no PyTorch in " + python + " to compare with")
	}
	cmd := exec.Command(python, append([]string{script}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, stderr.Bytes())
	}
	return bytes.Split(bytes.TrimSpace(out), []byte("\n"))
}

func openFile(t *testing.T, path string) (*pth.File, error) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return open(string(data))
}

// content is what PyTorch and this package find in a file: name, type, shape,
// hash of each tensor.
type content struct {
	File    string
	Tensors []any
	Aligned bool
}

func describe(t *testing.T, f *pth.File) []any {
	t.Helper()
	var all []any
	for _, name := range f.Names() {
		d, err := f.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		shape, typ, ok := f.Info(name)
		if !ok || typ != d.Type || !slices.Equal(shape, d.Shape) {
			t.Errorf("%s: Info says %s %v, the tensor is %s", name, typ, shape, d)
		}
		all = append(all, row(name, d))
	}
	return all
}

func row(name string, d *tensor.Dense) []any {
	sum := sha256.Sum256(d.Data)
	shape := make([]any, len(d.Shape))
	for i, n := range d.Shape {
		shape[i] = float64(n) // as JSON has it
	}
	return []any{name, d.Type.String(), shape, hex.EncodeToString(sum[:])}
}

func compare(t *testing.T, got, want []any) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d tensors, PyTorch has %d", len(got), len(want))
	}
	for i := range want {
		if g, w := fmt.Sprint(got[i]), fmt.Sprint(want[i]); g != w {
			t.Errorf("tensor %d is %s, in PyTorch %s", i, g, w)
		}
	}
}

// What torch.save wrote, in both formats, is what Tensor returns.
func TestReadWhatPyTorchWrote(t *testing.T) {
	dir := t.TempDir()
	for _, line := range runPyTorch(t, "testdata/make.py", dir) {
		var want content
		if err := json.Unmarshal(line, &want); err != nil {
			t.Fatal(err)
		}
		t.Run(want.File, func(t *testing.T) {
			f, err := openFile(t, filepath.Join(dir, want.File))
			if err != nil {
				t.Fatal(err)
			}
			compare(t, describe(t, f), want.Tensors)
		})
	}
	for _, tc := range []struct{ file, want string }{
		{"whole.zip.pth", "torch.save(model.state_dict(), FILE)"},
		{"whole.legacy.pth", "torch.save(model.state_dict(), FILE)"},
		{"script.pth", "a TorchScript archive"},
		{"tensor.pth", "holds a tensor, not a state dict"},
		{"expanded.pth", "save a .contiguous() one"},
		{"sparse.pth", "a sparse tensor: in Python, save its .to_dense()"},
		{"qint8.pth", "a quantised tensor: in Python, save its .dequantize()"},
		{"quint8.pth", "a quantised tensor"},
		{"qint32.pth", "a quantised tensor"},
		{"none.pth", `the keys are ["epoch"]`},
	} {
		_, err := openFile(t, filepath.Join(dir, tc.file))
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want %q", tc.file, err, tc.want)
		}
	}
}

// torch.load reads what Write wrote, and so does this package.
func TestPyTorchReadsWhatWasWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.pth")
	want := everyType()
	var file bytes.Buffer
	if err := pth.Write(&file, want); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := openFile(t, path)
	if err != nil {
		t.Fatal(err)
	}
	var rows []any
	for _, e := range want {
		rows = append(rows, row(e.Name, e.Tensor))
	}
	compare(t, describe(t, f), rows)
	var got content
	if err := json.Unmarshal(runPyTorch(t, "testdata/load.py", path)[0], &got); err != nil {
		t.Fatal(err)
	}
	compare(t, rows, got.Tensors)
	if !got.Aligned {
		t.Error("a storage does not begin at a multiple of 64 bytes")
	}
}

// everyType is a tensor of each type that PyTorch has, with names enough for
// memo entries of four bytes.
func everyType() []tensor.Named {
	var all []tensor.Named
	for _, typ := range []tensor.Type{tensor.Bool, tensor.Uint8, tensor.Int8, tensor.Int16, tensor.Int32, tensor.Int64,
		tensor.Float16, tensor.BFloat16, tensor.Float32, tensor.Float64, tensor.Complex64, tensor.Complex128} {
		for _, shape := range [][]int{{}, {3}, {2, 3}, {2, 1, 3, 2}, {0, 2}, {300, 2}} {
			d := tensor.New(typ, shape...)
			for i := range d.Data {
				d.Data[i] = byte(i*7) % 2 // valid as a bool
			}
			all = append(all, tensor.Named{Name: fmt.Sprint(typ, shape), Tensor: d})
		}
	}
	return all
}

func TestWriteRefuses(t *testing.T) {
	one := tensor.New(tensor.Float32, 1)
	for _, tc := range []struct {
		entries []tensor.Named
		want    string
	}{
		{[]tensor.Named{{Name: "a", Tensor: one}, {Name: "a", Tensor: one}}, `two tensors named "a"`},
		{[]tensor.Named{{Name: "a", Tensor: tensor.New(tensor.Uint16, 1)}}, "no tensors of uint16"},
		{[]tensor.Named{{Name: "a", Tensor: &tensor.Dense{Type: tensor.Float32, Shape: []int{2}, Data: one.Data}}}, "holds 4 bytes"},
	} {
		if err := pth.Write(&bytes.Buffer{}, tc.entries); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("error %v, want %q", err, tc.want)
		}
	}
}
