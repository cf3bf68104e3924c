package pdparams_test

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/pdparams"
	"github.com/pptsn/pptsn/tensor"
)

// What is read from a checkpoint of Paddle's and written again is the very
// same file.
func TestRewritePaddleFiles(t *testing.T) {
	for _, path := range paddleFiles(t) {
		if strings.Contains(path, "efficientgcn") {
			continue // its tensors are nested: not a state dict
		}
		t.Run(filepath.Base(filepath.Dir(path))+"/"+filepath.Base(path), func(t *testing.T) {
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if filepath.Ext(path) == ".info" {
				vars, err := pdparams.ReadInfo(bytes.NewReader(want), int64(len(want)))
				if err != nil {
					t.Fatal(err)
				}
				err = pdparams.WriteInfo(&got, vars)
				if err != nil {
					t.Fatal(err)
				}
			} else {
				rewrite(t, &got, want, int(want[1]))
			}
			sameBytes(t, got.Bytes(), want)
		})
	}
}

// rewrite writes what is in data to w.
func rewrite(t *testing.T, w io.Writer, data []byte, protocol int) {
	t.Helper()
	f, err := pdparams.Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var entries []pdparams.Entry
	params := map[string]string{}
	for _, name := range f.Names() {
		d, err := f.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, pdparams.Entry{Name: name, Tensor: d})
		if p, ok := f.ParameterName(name); ok {
			params[name] = p
		}
	}
	o := pdparams.WriteOptions{Protocol: protocol, ParameterNames: params, Extra: f.Values()}
	if err := pdparams.Write(w, entries, o); err != nil {
		t.Fatal(err)
	}
}

func sameBytes(t *testing.T, got, want []byte) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("byte %d of %d is 0x%02x, want 0x%02x of %d", i, len(got), got[i], want[i], len(want))
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d bytes, want %d", len(got), len(want))
	}
}

// sample is a checkpoint with tensors of every type and many shapes.
func sample() ([]pdparams.Entry, pdparams.WriteOptions) {
	rng := rand.New(rand.NewPCG(1, 2))
	var entries []pdparams.Entry
	o := pdparams.WriteOptions{ParameterNames: map[string]string{}, Extra: &pdparams.Dict{}}
	for typ := tensor.Bool; typ <= tensor.Complex128; typ++ {
		for _, shape := range [][]int{{}, {1}, {0, 2}, {3, 5}, {2, 3, 4, 5}, {130, 130}} {
			d := tensor.New(typ, shape...)
			for i := range d.Data {
				d.Data[i] = byte(rng.Uint32())
				if typ == tensor.Bool {
					d.Data[i] &= 1
				}
			}
			name := fmt.Sprintf("%s%v", typ, shape)
			entries = append(entries, pdparams.Entry{Name: name, Tensor: d})
			if len(shape) > 0 {
				o.ParameterNames[name] = "param_" + name
			}
		}
	}
	o.Extra.Set("LR_Scheduler", scheduler())
	o.Extra.Set("epoch", int64(12))
	o.Extra.Set("values", values())
	return entries, o
}

func scheduler() *pdparams.Dict {
	d := &pdparams.Dict{}
	d.Set("last_epoch", int64(1260))
	d.Set("last_lr", 0.005)
	return d
}

func values() []any {
	thousand, many := &pdparams.Dict{}, []any{}
	for i := range 2000 {
		thousand.Set(int64(i), nil)
		many = append(many, int64(i))
	}
	vs := []any{nil, true, false, 1.5, math.Inf(-1), complex(1, -2), "", "größe", strings.Repeat("long", 20000),
		[]byte{}, []byte{200}, []byte("bytes"), bytes.Repeat([]byte{1, 255}, 40000),
		pdparams.Tuple(nil), pdparams.Tuple{int64(1)}, pdparams.Tuple{int64(1), "2", 3.0, nil},
		[]any{}, []any{int64(1)}, many, &pdparams.Dict{}, thousand}
	for _, s := range []string{"0", "255", "256", "65535", "65536", "-1", "2147483647", "2147483648", "-2147483648",
		"-2147483649", "549755813887", "-549755813888", "-549755813889", "9223372036854775807", "-9223372036854775808",
		"9223372036854775808", "-9223372036854775809", "18446744073709551616", "-170141183460469231731687303715884105728"} {
		n, _ := new(big.Int).SetString(s, 10)
		if n.IsInt64() {
			vs = append(vs, n.Int64())
		} else {
			vs = append(vs, n)
		}
	}
	huge := new(big.Int).Lsh(big.NewInt(1), 2047)
	return append(vs, huge, new(big.Int).Neg(huge))
}

// What is written is what Python would write: it loads, holds the same, and
// Python's pickle.dumps makes the same bytes of it. Reading and writing it
// again does too.
func TestWriteAgainstPython(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	for _, protocol := range []int{2, 4} {
		entries, o := sample()
		o.Protocol = protocol
		paths = append(paths, filepath.Join(dir, fmt.Sprintf("%d.pdparams", protocol)))
		writeFile(t, paths[len(paths)-1], func(w io.Writer) error { return pdparams.Write(w, entries, o) })
	}
	want := describeInPython(t, paths...)
	for i, path := range paths {
		t.Run(fmt.Sprintf("protocol %d", 2+2*i), func(t *testing.T) {
			if !want[path].Same {
				t.Error("Python pickles the same dict to other bytes")
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			f, err := pdparams.Read(bytes.NewReader(data), int64(len(data)))
			if err != nil {
				t.Fatal(err)
			}
			sameContent(t, describe(t, f), want[path])
			var again bytes.Buffer
			rewrite(t, &again, data, 2+2*i)
			sameBytes(t, again.Bytes(), data)
		})
	}
}

func writeFile(t testing.TB, path string, fill func(io.Writer) error) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := fill(f); err != nil {
		t.Fatal(err)
	}
}

// The tensors that were written are those that are read.
func TestWriteRead(t *testing.T) {
	entries, o := sample()
	for _, o.Protocol = range []int{0, 2, 4} {
		var buf bytes.Buffer
		if err := pdparams.Write(&buf, entries, o); err != nil {
			t.Fatal(err)
		}
		f, err := pdparams.Read(bytes.NewReader(buf.Bytes()), int64(buf.Len()))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			d, err := f.Tensor(e.Name)
			if err != nil {
				t.Fatal(err)
			}
			want := e.Tensor.Type
			if want == tensor.BFloat16 {
				want = tensor.Uint16 // as Paddle stores it
			}
			if d.Type != want || fmt.Sprint(d.Shape) != fmt.Sprint(e.Tensor.Shape) || !bytes.Equal(d.Data, e.Tensor.Data) {
				t.Errorf("protocol %d: %s: read %s", o.Protocol, e.Name, d)
			}
		}
	}
}

// Protocol 2 splits large tensors in the way that paddle.load undoes.
func TestWriteSplitsTensors(t *testing.T) {
	entries, o := sample()
	o.Protocol = 2
	path := filepath.Join(t.TempDir(), "split.pdparams")
	writeFile(t, path, func(w io.Writer) error { return pdparams.WriteSplit(w, entries, o, 250) })
	f, err := pdparams.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if n := len(f.Names()); n != len(entries) {
		t.Errorf("%d tensors, want %d", n, len(entries))
	}
	for _, e := range entries {
		d, err := f.Tensor(e.Name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(d.Data, e.Tensor.Data) {
			t.Errorf("%s: other elements", e.Name)
		}
	}
	sameContent(t, describe(t, f), describeInPython(t, path)[path])
}

func TestWriteRefuses(t *testing.T) {
	w := tensor.New(tensor.Float32, 2)
	entry := []pdparams.Entry{{Name: "w", Tensor: w}}
	extra := func(key, v any) *pdparams.Dict {
		d := &pdparams.Dict{}
		d.Set(key, v)
		return d
	}
	for _, tc := range []struct {
		entries []pdparams.Entry
		o       pdparams.WriteOptions
		want    string
	}{
		{entries: append(entry, entry...), want: "two values named w"},
		{entries: entry, o: pdparams.WriteOptions{Extra: extra("w", nil)}, want: "two values named w"},
		{entries: entry, o: pdparams.WriteOptions{Extra: extra("UnpackBigParamInfor@@", nil)}, want: "UnpackBigParamInfor@@"},
		{entries: entry, o: pdparams.WriteOptions{ParameterNames: map[string]string{"v": "x"}}, want: "not among the entries"},
		{entries: entry, o: pdparams.WriteOptions{Protocol: 3}, want: "protocol 3: want 2 or 4"},
		{entries: entry, o: pdparams.WriteOptions{Extra: extra("x", struct{}{})}, want: "cannot write a struct {}"},
		{entries: entry, o: pdparams.WriteOptions{Extra: extra("x", "\xff")}, want: "not UTF-8"},
		{entries: []pdparams.Entry{{Name: "w", Tensor: &tensor.Dense{Type: tensor.Float32, Shape: []int{2}, Data: w.Data[:4]}}},
			want: `tensor "w": float32 [2] holds 4 bytes`},
	} {
		err := pdparams.Write(io.Discard, tc.entries, tc.o)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("error %v, want one that says %q", err, tc.want)
		}
	}
}
