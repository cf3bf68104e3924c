package frame

import "math"

// Bits of the fixed-point weights: INTER_RESIZE_COEF_BITS of OpenCV's
// modules/imgproc/src/resize.cpp.
const cvBits = 11

// ResizeOpenCV scales src to dst's size, bilinear without antialiasing.
//
// The result equals that of OpenCV 4's cv::resize with INTER_LINEAR on 8-bit
// pictures (4.6.0, without Intel IPP) bit for bit: half-pixel centres, 11-bit
// weights rounded half to even, the row sums cut to 15 bits before the columns
// are summed. A picture of the same size is copied.
func ResizeOpenCV(dst, src *RGB) {
	if dst.W == src.W && dst.H == src.H {
		copy(dst.Pix, src.Pix)
		return
	}
	var (
		cols = cvColumns(dst.W, src.W)
		rows [2][]uint16 // source row y, scaled to dst.W, is in rows[y%2]
		held = [2]int{-1, -1}
		wide []byte
	)
	for i := range rows {
		rows[i] = make([]uint16, 3*dst.W)
	}
	row := func(y int) []uint16 {
		if held[y%2] != y {
			held[y%2] = y
			line := src.Pix[3*y*src.W : 3*(y+1)*src.W]
			if src.W == 1 { // a tap always reads two pixels
				wide = append(append(wide[:0], line...), line...)
				line = wide
			}
			cvAcross(rows[y%2], line, cols)
		}
		return rows[y%2]
	}
	for y := range dst.H {
		i, f := cvCentre(y, dst.H, src.H)
		a, b := cvWeights(f)
		top := row(min(max(i, 0), src.H-1))
		bottom := row(min(max(i+1, 0), src.H-1))
		cvDown(dst.Pix[3*y*dst.W:3*(y+1)*dst.W], top, bottom, a, b)
	}
}

// A cvTap mixes the pixel that begins at byte at of a row and the next one.
type cvTap struct {
	at   int32
	a, b uint32
}

// cvColumns holds the taps of one row. Outside the centres of the first and the
// last pixel that pixel alone counts.
func cvColumns(dst, src int) []cvTap {
	taps := make([]cvTap, dst)
	for x := range taps {
		i, f := cvCentre(x, dst, src)
		if i < 0 {
			i, f = 0, 0
		}
		if i >= src-1 {
			i, f = max(src-2, 0), 1 // the last pixel as the second of two
		}
		a, b := cvWeights(f)
		taps[x] = cvTap{at: int32(3 * i), a: a, b: b}
	}
	return taps
}

// cvCentre places the centre of output d between the inputs i and i+1, at f in
// [0, 1) from i. The conversions forbid fused multiply-add.
func cvCentre(d, dst, src int) (i int, f float32) {
	scale := 1 / (float64(dst) / float64(src))
	f = float32(float64((float64(d)+0.5)*scale) - 0.5)
	floor := float32(math.Floor(float64(f)))
	return int(floor), f - floor
}

func cvWeights(f float32) (a, b uint32) {
	one := float32(1 << cvBits)
	return uint32(math.RoundToEven(float64((1 - f) * one))), uint32(math.RoundToEven(float64(f * one)))
}

// cvAcross scales one row. The sums have 19 bits; of these the columns use the
// upper 15, so only they are stored.
func cvAcross(dst []uint16, src []byte, taps []cvTap) {
	for _, t := range taps {
		s := src[t.at:][:6]
		d := dst[:3]
		d[0] = uint16((uint32(s[0])*t.a + uint32(s[3])*t.b) >> 4)
		d[1] = uint16((uint32(s[1])*t.a + uint32(s[4])*t.b) >> 4)
		d[2] = uint16((uint32(s[2])*t.a + uint32(s[5])*t.b) >> 4)
		dst = dst[3:]
	}
}

// cvDown mixes two scaled rows.
func cvDown(dst []byte, top, bottom []uint16, a, b uint32) {
	top, bottom = top[:len(dst)], bottom[:len(dst)]
	for i := range dst {
		dst[i] = byte((uint32(top[i])*a>>16 + uint32(bottom[i])*b>>16 + 2) >> 2)
	}
}
