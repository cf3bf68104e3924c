package tensor

import (
	"math"
	"testing"
)

// Bit patterns and values from IEEE 754-2008, table 3.5 and section 3.4.
func TestHalfToFloat(t *testing.T) {
	for _, tc := range []struct {
		bits uint16
		want float32
	}{
		{0x0000, 0},
		{0x3c00, 1},
		{0xc000, -2},
		{0x7bff, 65504},            // largest
		{0x0400, 0x1p-14},          // smallest normal
		{0x0001, 0x1p-24},          // smallest subnormal
		{0x83ff, -1023.0 / 0x1p24}, // largest subnormal, negative
		{0x3555, 0.333251953125},   // nearest to 1/3
		{0x7c00, float32(math.Inf(1))},
		{0xfc00, float32(math.Inf(-1))},
	} {
		if got := halfToFloat(tc.bits); got != tc.want {
			t.Errorf("%#04x = %v, want %v", tc.bits, got, tc.want)
		}
	}
	if got := halfToFloat(0x7e00); got == got {
		t.Errorf("0x7e00 = %v, want NaN", got)
	}
}

func TestFloat32Conversion(t *testing.T) {
	for _, tc := range []struct {
		typ  Type
		data []byte
		want []float32
	}{
		{Bool, []byte{0, 1}, []float32{0, 1}},
		{Int8, []byte{0xff, 0x80}, []float32{-1, -128}},
		{Uint8, []byte{0xff, 0x80}, []float32{255, 128}},
		{Int16, []byte{0xfe, 0xff}, []float32{-2}},
		{Uint16, []byte{0xfe, 0xff}, []float32{65534}},
		{Int32, []byte{0, 0, 0, 0x80}, []float32{-0x1p31}},
		{Int64, []byte{1, 0, 0, 0, 1, 0, 0, 0}, []float32{0x1p32}},
		{Uint64, []byte{0, 0, 0, 0, 0, 0, 0, 0x80}, []float32{0x1p63}},
		{BFloat16, []byte{0x80, 0x3f, 0x00, 0xc0}, []float32{1, -2}},
		{Float64, []byte{0, 0, 0, 0, 0, 0, 0xf8, 0x3f}, []float32{1.5}},
	} {
		d := &Dense{Type: tc.typ, Shape: []int{len(tc.want)}, Data: tc.data}
		f, err := d.Float32()
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range f.Float32s() {
			if v != tc.want[i] {
				t.Errorf("%s[%d] = %v, want %v", tc.typ, i, v, tc.want[i])
			}
		}
	}
	if _, err := New(Complex64, 1).Float32(); err == nil {
		t.Error("complex64 converted to float32 without an error")
	}
}

func TestCheckedCount(t *testing.T) {
	for _, tc := range []struct {
		shape []int
		n     int
		ok    bool
	}{
		{nil, 1, true},
		{[]int{2, 0, 3}, 0, true},
		{[]int{2, -1}, 0, false},
		{[]int{math.MaxInt, 2}, 0, false},
		{[]int{1 << 31, 1 << 31, 1 << 31}, 0, false},
	} {
		if n, ok := CheckedCount(tc.shape); n != tc.n || ok != tc.ok {
			t.Errorf("%v: %d %v, want %d %v", tc.shape, n, ok, tc.n, tc.ok)
		}
	}
}
