package pdparams_test

import (
	"bytes"
	"errors"
	"os"
	"runtime"
	"testing"

	"github.com/pptsn/pptsn/pdparams"
)

// FuzzRead looks for panics and for files that make the reader allocate more
// than their size justifies: an opcode of one byte makes an object of some
// hundred bytes at most.
func FuzzRead(f *testing.F) {
	f.Add(small(f, 2))
	f.Add(small(f, 4))
	for _, path := range []string{"testdata/values-2.pickle", "testdata/values-5.pickle", "testdata/split-4.pickle"} {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		file, err := pdparams.Read(bytes.NewReader(data), int64(len(data)))
		runtime.ReadMemStats(&after)
		if n, most := after.TotalAlloc-before.TotalAlloc, uint64(1<<20+512*len(data)); n > most {
			t.Errorf("%d bytes allocated for %d", n, len(data))
		}
		if err != nil {
			typed(t, err)
			return
		}
		for _, name := range file.Names() {
			if _, err := file.Tensor(name); err != nil {
				typed(t, err)
			}
		}
	})
}

// typed expects one of the errors that Open promises.
func typed(t *testing.T, err error) {
	t.Helper()
	var format *pdparams.FormatError
	var unsupported *pdparams.UnsupportedError
	var forbidden *pdparams.ForbiddenError
	if !errors.As(err, &format) && !errors.As(err, &unsupported) && !errors.As(err, &forbidden) {
		t.Errorf("error %v is none of the package's", err)
	}
}
