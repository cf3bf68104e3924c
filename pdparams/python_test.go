package pdparams_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pptsn/pptsn/pdparams"
)

// content is what a checkpoint holds, in a form that Go and testdata/describe.py
// both make.
type content struct {
	Tensors []tensorContent
	Values  string
	Same    bool // Python pickles it to the same bytes
}

type tensorContent struct {
	Name, Param, Type string
	Shape             []int
	SHA256            string
}

// python finds a Python with numpy.
var python = sync.OnceValue(func() string {
	for _, p := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(p, "-c", "import numpy").Run() == nil {
			return p
		}
	}
	return ""
})

// runPython runs a script and returns the lines it prints.
func runPython(t testing.TB, script string, args ...string) [][]byte {
	t.Helper()
	if python() == "" {
		t.Skip("no python3 with numpy to compare with")
	}
	cmd := exec.Command(python(), append([]string{script}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, stderr.Bytes())
	}
	return bytes.Split(bytes.TrimSpace(out), []byte("\n"))
}

// describeInPython returns what Python finds in each file.
func describeInPython(t testing.TB, paths ...string) map[string]content {
	t.Helper()
	all := map[string]content{}
	for i, line := range runPython(t, "testdata/describe.py", paths...) {
		var c content
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		all[paths[i]] = c
	}
	return all
}

// describe returns what this package finds in a file.
func describe(t testing.TB, f *pdparams.File) content {
	t.Helper()
	var c content
	for _, name := range f.Names() {
		d, err := f.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		shape, typ, ok := f.Info(name)
		if !ok || typ != d.Type || !slices.Equal(shape, d.Shape) {
			t.Errorf("%s: Info says %s %v, the tensor is %s", name, typ, shape, d)
		}
		param, _ := f.ParameterName(name)
		sum := sha256.Sum256(d.Data)
		c.Tensors = append(c.Tensors, tensorContent{name, param, typ.String(), shape, hex.EncodeToString(sum[:])})
	}
	c.Values = text(f.Values())
	return c
}

// text writes a value as describe.py does.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case int64, *big.Int:
		return fmt.Sprint(v)
	case float64:
		return fmt.Sprintf("f%016x", math.Float64bits(v))
	case complex128:
		return fmt.Sprintf("c%016x%016x", math.Float64bits(real(v)), math.Float64bits(imag(v)))
	case string:
		return fmt.Sprintf("s%x", v)
	case []byte:
		return fmt.Sprintf("b%x", v)
	case pdparams.Ref:
		return "@" + string(v)
	case pdparams.Tuple:
		return "(" + strings.Join(texts(v), ", ") + ")"
	case []any:
		return "[" + strings.Join(texts(v), ", ") + "]"
	case pdparams.Set:
		items := texts(v)
		slices.Sort(items)
		return "set(" + strings.Join(items, ", ") + ")"
	case *pdparams.Dict:
		var items []string
		for k, x := range v.All() {
			items = append(items, text(k)+": "+text(x))
		}
		return "{" + strings.Join(items, ", ") + "}"
	}
	return fmt.Sprintf("?%T", v)
}

func texts(vs []any) []string {
	out := make([]string, len(vs))
	for i, v := range vs {
		out[i] = text(v)
	}
	return out
}

// sameContent compares what was found with what Python finds.
func sameContent(t *testing.T, got, want content) {
	t.Helper()
	if len(got.Tensors) != len(want.Tensors) {
		t.Errorf("%d tensors, Python finds %d", len(got.Tensors), len(want.Tensors))
		return
	}
	for i, w := range want.Tensors {
		g := got.Tensors[i]
		if g.Name != w.Name || g.Param != w.Param || g.Type != w.Type || !slices.Equal(g.Shape, w.Shape) || g.SHA256 != w.SHA256 {
			t.Errorf("tensor %d is %v, in Python %v", i, g, w)
		}
	}
	if got.Values != want.Values {
		t.Errorf("values\n%s\nin Python\n%s", got.Values, want.Values)
	}
}
