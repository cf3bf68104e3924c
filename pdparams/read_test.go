package pdparams_test

import (
	"path/filepath"
	"testing"

	"github.com/pptsn/pptsn/internal/testdata"
	"github.com/pptsn/pptsn/pdparams"
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
