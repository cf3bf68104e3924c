package pdmodel_test

import (
	"bytes"
	"testing"

	"github.com/pptsn/pptsn/pdmodel"
)

func BenchmarkParse(b *testing.B) {
	data := realFile(b, "pptsm-k400/ppTSM.pdmodel")
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := pdmodel.Parse(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGraph(b *testing.B) {
	p := realProgram(b, "pptsm-k400/ppTSM.pdmodel")
	for b.Loop() {
		if _, err := p.Graph(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadParams(b *testing.B) {
	p, data := realProgram(b, mobilenet+"inference.pdmodel"), realFile(b, mobilenet+"inference.pdiparams")
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := pdmodel.ReadParams(bytes.NewReader(data), int64(len(data)), p); err != nil {
			b.Fatal(err)
		}
	}
}
