package safetensors_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/safetensors"
	"github.com/pptsn/pptsn/tensor"
)

// file is length, header and tensors.
func file(header, data string) string {
	return string(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))) + header + data
}

func open(data string) (*safetensors.File, error) {
	return safetensors.Read(strings.NewReader(data), int64(len(data)))
}

const f32 = `{"dtype":"F32","shape":[1],"data_offsets":[0,4]}`

// A file as the format's description has it, spaces behind the header included.
func TestRead(t *testing.T) {
	f, err := open(file(`{"__metadata__":{"format":"pt"},"b":{"dtype":"I8","shape":[2,1],"data_offsets":[4,6]},"a":`+f32+`}   `, "\x00\x00\x80\x3f\x05\xff"))
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Names(); !slices.Equal(got, []string{"b", "a"}) {
		t.Errorf("names %q, want b, a", got)
	}
	a, err := f.Tensor("a")
	if err != nil || a.Float32s()[0] != 1 {
		t.Errorf("a is %v (%v), want 1", a, err)
	}
	b, err := f.Tensor("b")
	if err != nil || b.String() != "int8 [2, 1]" || !bytes.Equal(b.Data, []byte{5, 0xff}) {
		t.Errorf("b is %v (%v), want int8 [2, 1] of 5, -1", b, err)
	}
}

func TestRefused(t *testing.T) {
	for _, tc := range []struct{ name, file, want string }{
		{"empty", "", "too few"},
		{"Git LFS pointer", "version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"},
		{"a large header", "\xff\xff\xff\xff\x00\x00\x00\x00{}", "larger than the 100000000"},
		{"cut in the header", file(`{"a":`+f32+`}`, "")[:20], "cut short: a header of"},
		{"a list", file(`[]`, ""), "no JSON object"},
		{"broken JSON", file(`{"a":}`, ""), `"a": invalid`},
		{"text behind the object", file(`{}{}`, ""), "behind the header's object"},
		{"metadata of numbers", file(`{"__metadata__":{"a":1}}`, ""), "__metadata__"},
		{"a name twice", file(`{"a":`+f32+`,"a":`+f32+`}`, "1234"), "there twice"},
		{"an unknown type", file(`{"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}}`, "1234"), `"F8_E4M3" is not supported`},
		{"no offsets", file(`{"a":{"dtype":"F32","shape":[1]}}`, "1234"), "offsets"},
		{"negative dimension", file(`{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, "1234"), "shape [-1]"},
		{"axes without end", file(`{"a":{"dtype":"U8","shape":[`+strings.Repeat("1,", 64)+`1],"data_offsets":[0,1]}}`, "1"), "a shape of 65 axes: at most 64"},
		{"a shape that overflows", file(`{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}`, ""), "shape"},
		{"a shape of another size", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, "1234"), "offsets 0 to 4"},
		{"backwards", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}`, "1234"), "offsets 4 to 0"},
		{"a hole", file(`{"a":`+f32+`,"b":{"dtype":"U8","shape":[1],"data_offsets":[5,6]}}`, "123456"), "begins at 5, the one before ends at 4"},
		{"an overlap", file(`{"a":`+f32+`,"b":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}}`, "1234"), "begins at 3"},
		{"cut in a tensor", file(`{"a":`+f32+`}`, "123"), "cut short: 4 bytes of tensors"},
		{"bytes behind", file(`{"a":`+f32+`}`, "12345"), "1 bytes behind"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := open(tc.file)
			var format *safetensors.FormatError
			if !errors.As(err, &format) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
}

// some is a tensor of each type, odd sizes before even ones.
func some() []tensor.Named {
	all := []tensor.Named{{Name: "scalar \"é\"", Tensor: tensor.New(tensor.Uint8)}, {Name: "none", Tensor: tensor.New(tensor.Float32, 0, 2)}}
	for typ := tensor.Bool; typ <= tensor.Complex64; typ++ {
		d := tensor.New(typ, 3, 1)
		for i := range d.Data {
			d.Data[i] = byte(i) % 2
		}
		all = append(all, tensor.Named{Name: typ.String(), Tensor: d})
	}
	return all
}

func TestWriteAndRead(t *testing.T) {
	var b bytes.Buffer
	want := some()
	if err := safetensors.Write(&b, want); err != nil {
		t.Fatal(err)
	}
	f, err := open(b.String())
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Names()) != len(want) {
		t.Errorf("%d tensors, want %d", len(f.Names()), len(want))
	}
	for _, e := range want {
		d, err := f.Tensor(e.Name)
		if err != nil {
			t.Fatal(err)
		}
		if d.String() != e.Tensor.String() || !bytes.Equal(d.Data, e.Tensor.Data) {
			t.Errorf("%s is %s %v, want %s %v", e.Name, d, d.Data, e.Tensor, e.Tensor.Data)
		}
	}
	if !safetensors.Is(b.Bytes()[:16]) {
		t.Error("the file does not look like one")
	}
}

func TestWriteRefuses(t *testing.T) {
	one := tensor.New(tensor.Float32, 1)
	for _, tc := range []struct {
		entries []tensor.Named
		want    string
	}{
		{[]tensor.Named{{Name: "a", Tensor: one}, {Name: "a", Tensor: one}}, `two values named "a"`},
		{[]tensor.Named{{Name: "__metadata__", Tensor: one}}, "two values named"},
		{[]tensor.Named{{Name: "a", Tensor: tensor.New(tensor.Complex128, 1)}}, "no type complex128"},
	} {
		if err := safetensors.Write(&bytes.Buffer{}, tc.entries); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("error %v, want %q", err, tc.want)
		}
	}
}

// The library that defines the format, or else numpy by its description, reads what
// Write writes, and writes what Read reads.
func TestPython(t *testing.T) {
	const python = "/usr/bin/python3"
	if exec.Command(python, "-c", "import numpy").Run() != nil {
		t.Skip("no numpy in " + python + " to compare with")
	}
	library := exec.Command(python, "-c", "import safetensors.torch").Run() == nil
	dir := t.TempDir()
	var b bytes.Buffer
	if err := safetensors.Write(&b, some()); err != nil {
		t.Fatal(err)
	}
	ours, theirs := filepath.Join(dir, "ours"), filepath.Join(dir, "theirs")
	if err := os.WriteFile(ours, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(python, "testdata/copy.py", ours, theirs).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	written, err := os.ReadFile(theirs)
	if err != nil {
		t.Fatal(err)
	}
	f, err := open(string(written))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range some() {
		if library && slices.Contains([]string{"uint16", "uint32", "uint64", "complex64"}, e.Name) {
			continue // not in PyTorch 1.13, or not in this version of the library
		}
		d, err := f.Tensor(e.Name)
		if err != nil || d.String() != e.Tensor.String() || !bytes.Equal(d.Data, e.Tensor.Data) {
			t.Errorf("%s came back as %v (%v)", e.Name, d, err)
		}
	}
}

// FuzzRead looks for panics and for files that make the reader allocate more
// than their size justifies.
func FuzzRead(f *testing.F) {
	var b bytes.Buffer
	if err := safetensors.Write(&b, some()); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(file(`{"a":`+f32+`}`, "1234")))
	f.Fuzz(func(t *testing.T, data []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		file, err := safetensors.Read(bytes.NewReader(data), int64(len(data)))
		runtime.ReadMemStats(&after)
		if n, most := after.TotalAlloc-before.TotalAlloc, uint64(1<<20+256*len(data)); n > most {
			t.Errorf("%d bytes allocated for %d", n, len(data))
		}
		if err != nil {
			return
		}
		for _, name := range file.Names() {
			if d, err := file.Tensor(name); err != nil || len(d.Data) > len(data) {
				t.Error(fmt.Sprint(name, d, err))
			}
		}
	})
}
