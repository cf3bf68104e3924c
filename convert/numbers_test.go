package convert

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"github.com/pptsn/pptsn/tensor"
	"github.com/pptsn/pptsn/tsn"
)

// NaN and infinities of every type are read, and the tensor is named; the
// largest finite numbers are not taken for them.
func TestNotFinite(t *testing.T) {
	for _, tc := range []struct {
		name string
		typ  tensor.Type
		bits uint64 // of the last element
		want bool
	}{
		{"float32 NaN", tensor.Float32, 0x7fc00000, true},
		{"float32 infinity", tensor.Float32, 0x7f800000, true},
		{"float32 largest", tensor.Float32, 0xff7fffff, false},
		{"float16 -infinity", tensor.Float16, 0xfc00, true},
		{"float16 largest", tensor.Float16, 0x7bff, false},
		{"bfloat16 NaN", tensor.BFloat16, 0xffc0, true},
		{"bfloat16 largest", tensor.BFloat16, 0x7f7f, false},
		{"float64 NaN", tensor.Float64, math.Float64bits(math.NaN()), true},
		{"float64 infinity", tensor.Float64, math.Float64bits(math.Inf(-1)), true},
		{"float64 zero", tensor.Float64, 0, false},
	} {
		bias := tensor.New(tc.typ, 5)
		var last [8]byte
		binary.LittleEndian.PutUint64(last[:], tc.bits)
		copy(bias.Data[4*tc.typ.Size():], last[:])
		n, err := Read(typed{own(t, tsn.TSN, 18), bias}, false)
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
		} else if got := slices.Equal(n.From.NotFinite, []string{"head.fc.bias"}); got != tc.want {
			t.Errorf("%s: not finite are %q", tc.name, n.From.NotFinite)
		}
	}
}
