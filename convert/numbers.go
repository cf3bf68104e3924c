package convert

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/pptsn/pptsn/tensor"
)

// note keeps what is odd about the numbers of a tensor, which became d.
func (r *Report) note(name string, raw, d *tensor.Dense) {
	if raw.Type == tensor.Float64 {
		r.Rounded++
	}
	if slices.ContainsFunc(d.Float32s(), notFinite) {
		r.NotFinite = append(r.NotFinite, name)
	}
}

// notFinite says whether v is NaN or infinite: the difference with itself is 0
// for all other numbers.
func notFinite(v float32) bool { return v-v != 0 }

// overflows says whether a finite number of float64 became infinite.
func overflows(raw, d *tensor.Dense) bool {
	if raw.Type != tensor.Float64 {
		return false
	}
	for i, v := range d.Float32s() {
		was := math.Float64frombits(binary.LittleEndian.Uint64(raw.Data[8*i:]))
		if math.IsInf(float64(v), 0) && !math.IsInf(was, 0) {
			return true
		}
	}
	return false
}
