package pdparams_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/pptsn/pptsn/pdparams"
	"github.com/pptsn/pptsn/tensor"
)

// weights are 100 MB of normally distributed float32 in 100 tensors.
func weights() []pdparams.Entry {
	rng := rand.New(rand.NewPCG(1, 2))
	var entries []pdparams.Entry
	for i := range 100 {
		d := tensor.New(tensor.Float32, 250, 1000)
		for j := range d.Float32s() {
			d.Float32s()[j] = float32(rng.NormFloat64())
		}
		entries = append(entries, pdparams.Entry{Name: fmt.Sprintf("layer%d.weight", i), Tensor: d})
	}
	return entries
}

// BenchmarkLoad reads all tensors of a 100 MB checkpoint. "python-MB/s" is
// what pickle.load does with the same file.
func BenchmarkLoad(b *testing.B) {
	entries := weights()
	for _, protocol := range []int{2, 4} {
		b.Run(fmt.Sprintf("protocol%d", protocol), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "w.pdparams")
			writeFile(b, path, func(w io.Writer) error {
				return pdparams.Write(w, entries, pdparams.WriteOptions{Protocol: protocol})
			})
			b.SetBytes(100e6)
			for b.Loop() {
				f, err := pdparams.Open(path)
				if err != nil {
					b.Fatal(err)
				}
				if err := readAll(f); err != nil {
					b.Fatal(err)
				}
				f.Close()
			}
			b.StopTimer()
			seconds, err := strconv.ParseFloat(string(runPython(b, "testdata/load.py", path)[0]), 64)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(100/seconds, "python-MB/s")
		})
	}
}

// BenchmarkOpen opens a 100 MB checkpoint without reading its tensors.
func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "w.pdparams")
	entries := weights()
	writeFile(b, path, func(w io.Writer) error { return pdparams.Write(w, entries, pdparams.WriteOptions{}) })
	b.ReportAllocs()
	for b.Loop() {
		f, err := pdparams.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		f.Close()
	}
}

func BenchmarkWrite(b *testing.B) {
	entries := weights()
	for _, protocol := range []int{2, 4} {
		b.Run(fmt.Sprintf("protocol%d", protocol), func(b *testing.B) {
			f, err := os.Create(filepath.Join(b.TempDir(), "w.pdparams"))
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			b.SetBytes(100e6)
			for b.Loop() {
				f.Seek(0, io.SeekStart)
				if err := pdparams.Write(f, entries, pdparams.WriteOptions{Protocol: protocol}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
