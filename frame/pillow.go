package frame

import "math"

// Bits of the fixed-point weights: PRECISION_BITS of Pillow's
// src/libImaging/Resample.c for 8-bit pictures.
const (
	pilBits = 32 - 8 - 2
	pilHalf = 1 << (pilBits - 1)
)

// ResizePillow scales src to dst's size, bilinear with antialiasing: where it
// shrinks, each output averages all inputs under a triangle as wide as the
// scale asks for.
//
// The result equals that of Pillow's Image.resize with BILINEAR (9.4.0) bit
// for bit: 22-bit weights, the rows scaled and rounded to bytes first, then the
// columns. A direction whose size does not change is left alone.
func ResizePillow(dst, src *RGB) {
	if dst.W != src.W && dst.H != src.H {
		across := NewRGB(dst.W, src.H)
		pilAcross(across, src)
		src = across
	}
	switch {
	case dst.W != src.W:
		pilAcross(dst, src)
	case dst.H != src.H:
		pilDown(dst, src)
	default:
		copy(dst.Pix, src.Pix)
	}
}

// A pilTap weighs the inputs from at on.
type pilTap struct {
	at      int
	weights []int32
}

// pilTaps follows precompute_coeffs and normalize_coeffs_8bpc. The conversions
// forbid fused multiply-add.
func pilTaps(dst, src int) []pilTap {
	scale := float64(src) / float64(dst)
	support := max(scale, 1)
	taps := make([]pilTap, dst)
	var share []float64
	var all []int32
	for d := range taps {
		centre := float64((float64(d) + 0.5) * scale)
		from := max(int(centre-support+0.5), 0)
		to := min(int(centre+support+0.5), src)
		share = share[:0]
		sum := 0.0
		for x := from; x < to; x++ {
			w := max(0, 1-math.Abs(float64((float64(x)-centre+0.5)*(1/support))))
			share = append(share, w)
			sum += w
		}
		start := len(all)
		for _, w := range share {
			all = append(all, int32(float64(w/sum*(1<<pilBits))+0.5))
		}
		taps[d] = pilTap{at: from, weights: all[start:]}
	}
	return taps
}

// pilAcross scales the rows; dst.H == src.H.
func pilAcross(dst, src *RGB) {
	taps := pilTaps(dst.W, src.W)
	for y := range src.H {
		row := src.Pix[3*y*src.W : 3*(y+1)*src.W]
		out := dst.Pix[3*y*dst.W : 3*(y+1)*dst.W]
		for _, t := range taps {
			r, g, b := int32(pilHalf), int32(pilHalf), int32(pilHalf)
			s := row[3*t.at:]
			for _, w := range t.weights {
				p := s[:3]
				r += w * int32(p[0])
				g += w * int32(p[1])
				b += w * int32(p[2])
				s = s[3:]
			}
			o := out[:3]
			o[0], o[1], o[2] = pilByte(r), pilByte(g), pilByte(b)
			out = out[3:]
		}
	}
}

// pilDown scales the columns; dst.W == src.W.
func pilDown(dst, src *RGB) {
	n := 3 * src.W
	sum := make([]int32, n)
	for y, t := range pilTaps(dst.H, src.H) {
		for i := range sum {
			sum[i] = pilHalf
		}
		for k, w := range t.weights {
			pilAdd(sum, src.Pix[(t.at+k)*n:], w)
		}
		out := dst.Pix[y*n:][:n]
		for i, s := range sum {
			out[i] = pilByte(s)
		}
	}
}

func pilAdd(sum []int32, row []byte, w int32) {
	row = row[:len(sum)]
	for i := range sum {
		sum[i] += w * int32(row[i])
	}
}

// pilByte drops the fraction. No weight is negative, so no sum is.
func pilByte(sum int32) byte { return byte(min(sum>>pilBits, 255)) }
