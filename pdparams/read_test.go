package pdparams_test

import (
	"bytes"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/pdparams"
	"github.com/pptsn/pptsn/tensor"
)

// Each file that Paddle wrote holds what Python finds in it.
func TestReadPaddleFiles(t *testing.T) { readAgainstPython(t, paddleFiles(t)) }

// Pickles of every kind of array and value, in protocols 2 to 5.
func TestReadNumpyPickles(t *testing.T) { readAgainstPython(t, madeByPython(t)) }

func readAgainstPython(t *testing.T, paths []string) {
	want := describeInPython(t, paths...)
	for _, path := range paths {
		t.Run(filepath.Base(filepath.Dir(path))+"/"+filepath.Base(path), func(t *testing.T) {
			f, err := pdparams.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			sameContent(t, describe(t, f), want[path])
		})
	}
}

// paddleFiles are all pickles among the real files.
func paddleFiles(t testing.TB) []string {
	t.Helper()
	var paths []string
	for _, ext := range []string{"pdparams", "pdopt", "info"} {
		found, err := filepath.Glob(filepath.Join(testdata.Shared(t), "data/paddle/*/*."+ext))
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	if len(paths) == 0 {
		t.Skip("no Paddle files in the shared folder")
	}
	return paths
}

func madeByPython(t testing.TB) []string {
	t.Helper()
	var paths []string
	for _, line := range runPython(t, "testdata/make.py", t.TempDir()) {
		paths = append(paths, string(line))
	}
	return paths
}

// Pickles that numpy's own pickler does not write today.
func TestReadOldAndRare(t *testing.T) {
	w := array("K\x01", float32LE, "\x89", one)
	text := "c_codecs\nencode\nX\x05\x00\x00\x00\x00\x00\xc2\x80?X\x06\x00\x00\x00latin1\x86R" // 1 in protocol 2
	for _, tc := range []struct{ name, pickle string }{
		{"Python 2, with ints for bools", dict(array("K\x01", "cnumpy\ndtype\nU\x02f4K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb", "\x89", one))},
		{"elements as text", dict(array("K\x01", float32LE, "\x89", text))},
		{"native byte order without a state", dict(array("K\x01", "cnumpy\ndtype\nU\x02f4\x89\x88\x87R", "\x89", one))},
		{"LoDTensor of newer Paddle", dict("cpaddle.framework.io_utils\n_reconstruct_dense_tensor_data\n" + w + "\x85R")},
		{"LoDTensor", dict("c__builtin__\neval\nU\x04data}U\x04data" + w + "s\x86R")},
		{"OrderedDict of Python 2", proto + "ccollections\nOrderedDict\n(]](U\x01w" + w + "eatR."},
		{"bytes after the end", dict(w) + "more"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, err := open(tc.pickle)
			if err != nil {
				t.Fatal(err)
			}
			d, err := f.Tensor("w")
			if err != nil {
				t.Fatal(err)
			}
			if d.String() != "float32 [1]" || d.Float32s()[0] != 1 {
				t.Errorf("read %s %v", d, d.Float32s())
			}
		})
	}
	f, err := open(proto + "}U\x05epochI5000000000\ns.")
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := f.Values().Get("epoch"); !ok || v != int64(5e9) {
		t.Errorf("epoch is %v", v)
	}
}

// counter counts the bytes that are read.
type counter struct {
	*bytes.Reader
	n int64
}

func (c *counter) ReadAt(p []byte, off int64) (int, error) {
	c.n += int64(len(p))
	return c.Reader.ReadAt(p, off)
}

// Opening a file does not read its large tensors.
func TestOpenReadsLittle(t *testing.T) {
	big := tensor.New(tensor.Float32, 2<<20)
	for _, protocol := range []int{2, 4} {
		var buf bytes.Buffer
		entries := []pdparams.Entry{{Name: "a", Tensor: big}, {Name: "b", Tensor: big}}
		if err := pdparams.Write(&buf, entries, pdparams.WriteOptions{Protocol: protocol}); err != nil {
			t.Fatal(err)
		}
		r := &counter{Reader: bytes.NewReader(buf.Bytes())}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := pdparams.Read(r, int64(buf.Len())); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; r.n > 64<<10 || n > 64<<10 {
			t.Errorf("protocol %d: read %d and allocated %d bytes of %d", protocol, r.n, n, buf.Len())
		}
	}
}

// Tensors may be read by several goroutines at a time.
func TestTensorsConcurrently(t *testing.T) {
	data := small(t, 2)
	f, err := pdparams.Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	want, err := f.Tensor("float32[3 5]")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				d, err := f.Tensor("float32[3 5]")
				if err != nil || !bytes.Equal(d.Data, want.Data) {
					t.Errorf("read %v, %v", d, err)
				}
			}
		})
	}
	wg.Wait()
}
