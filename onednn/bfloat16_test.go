package onednn

import (
	"math"
	"testing"
)

func TestBFloat16IsNearest(t *testing.T) {
	for _, tc := range []struct {
		v    float32
		want uint16
	}{
		{1, 0x3f80},
		{-1.0078125, 0xbf81},
		{1.00390625, 0x3f80}, // half-way: to the even one
		{1.01171875, 0x3f82},
		{1.00390637, 0x3f81}, // just above half-way
		{float32(math.Inf(1)), 0x7f80},
		{math.MaxFloat32, 0x7f80},
	} {
		if got := bfloat16(tc.v); got != tc.want {
			t.Errorf("%g is %#x, want %#x", tc.v, got, tc.want)
		}
	}
	if nan := bfloat16(float32(math.NaN())); nan&0x7f80 != 0x7f80 || nan&0x7f == 0 {
		t.Errorf("NaN is %#x", nan)
	}
}
