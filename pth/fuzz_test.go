package pth_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"runtime"
	"testing"

	"github.com/pptsn/pptsn/pickle"
	"github.com/pptsn/pptsn/pth"
)

// typed expects one of the errors that Open promises.
func typed(t *testing.T, err error) {
	t.Helper()
	var format *pickle.FormatError
	var unsupported *pickle.UnsupportedError
	var forbidden *pickle.ForbiddenError
	if !errors.As(err, &format) && !errors.As(err, &unsupported) && !errors.As(err, &forbidden) {
		t.Errorf("error %v is none of the package's", err)
	}
}

// FuzzRead looks for panics and for files that make the reader allocate more
// than their size justifies.
func FuzzRead(f *testing.F) {
	good := dict(floats(""), "K\x00", "K\x04\x85", "K\x01\x85")
	f.Add([]byte(archive(f, zip.Store, good, "a/data/0", float4)))
	f.Add([]byte(head + good + proto + "]U\x010a." + "\x04\x00\x00\x00\x00\x00\x00\x00" + float4))
	f.Add([]byte(head + dict(floats("(U\x01vK\x02K\x02t"), "K\x01", "K\x01\x85", "K\x01\x85") + proto + "]U\x010a." +
		"\x04\x00\x00\x00\x00\x00\x00\x00" + float4))
	var written bytes.Buffer
	if err := pth.Write(&written, everyType()[:12]); err != nil {
		f.Fatal(err)
	}
	f.Add(written.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		file, allocated, err := measured(data)
		if most := uint64(1<<20 + 1024*len(data)); allocated > most {
			t.Errorf("%d bytes allocated for %d", allocated, len(data))
		}
		if err != nil {
			typed(t, err)
			return
		}
		for _, name := range file.Names() {
			if d, err := file.Tensor(name); err != nil {
				typed(t, err)
			} else if len(d.Data) > len(data) {
				t.Errorf("tensor %q has %d bytes, the file %d", name, len(d.Data), len(data))
			}
		}
	})
}

// measured reads a file and says how many bytes that allocated.
func measured(data []byte) (*pth.File, uint64, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	file, err := pth.Read(bytes.NewReader(data), int64(len(data)))
	runtime.ReadMemStats(&after)
	return file, after.TotalAlloc - before.TotalAlloc, err
}
