package pdmodel_test

import (
	"bytes"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/pptsn/pptsn/pdmodel"
)

// allocated is how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// FuzzParse: any bytes give a program or an error, with memory in proportion
// to the input; what was parsed can be encoded, parsed again and translated.
func FuzzParse(f *testing.F) {
	for _, tc := range nets {
		p, err := pdmodel.Build(tc.net.graph(), pdmodel.Meta{})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(p.Encode())
	}
	for _, c := range numpyCases(f) {
		f.Add(c.program().Encode())
	}
	f.Add([]byte{})
	f.Add([]byte("{\"base_code\": {\"magic\": \"pir\"}}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var p *pdmodel.Program
		var err error
		bound := uint64(1<<20 + 1000*len(data))
		if n := allocated(func() { p, err = pdmodel.Parse(data) }); n > bound {
			t.Fatalf("%d bytes allocated to parse %d", n, len(data))
		}
		if err != nil {
			return
		}
		once := p.Encode()
		again, err := pdmodel.Parse(once)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again.Encode(), once) {
			t.Fatal("encoding is not stable")
		}
		if n := allocated(func() { _, err = p.Graph() }); n > 4*bound {
			t.Fatalf("%d bytes allocated to translate %d", n, len(data))
		}
		_ = p.String()
	})
}

// FuzzReadParams: any bytes give tensors or an error, with memory in
// proportion to the input.
func FuzzReadParams(f *testing.F) {
	g := net(segments).graph()
	program, params := write(f, g, randomWeights(g, rand.New(rand.NewPCG(1, 1))), pdmodel.Meta{})
	p, err := pdmodel.Parse(program)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(params)
	f.Add(params[:100])
	f.Fuzz(func(t *testing.T, data []byte) {
		n := allocated(func() {
			if _, err := pdmodel.ReadParams(bytes.NewReader(data), int64(len(data)), p); err == nil && len(data) != len(params) {
				t.Errorf("%d bytes taken for %d", len(data), len(params))
			}
		})
		if n > uint64(1<<20+100*len(data)) {
			t.Fatalf("%d bytes allocated to read %d", n, len(data))
		}
	})
}
