package frame_test

import (
	"math"

	"github.com/pptsn/pptsn/frame"
)

// The two resize formulas of the parity kit's README (section 3), pixel by
// pixel and with nothing shared between pixels: slow, but short enough to check
// by eye. The kit's author compared them with OpenCV 4.6.0 and Pillow 9.4.0.

func referenceOpenCV(dst, src *frame.RGB) {
	if dst.W == src.W && dst.H == src.H {
		copy(dst.Pix, src.Pix)
		return
	}
	round := func(v float32) int { return int(math.RoundToEven(float64(v))) }
	centre := func(d, dst, src int) (int, float32) {
		scale := 1 / (float64(dst) / float64(src))
		f := float32(float64((float64(d)+0.5)*scale) - 0.5)
		i := int(math.Floor(float64(f)))
		return i, f - float32(i)
	}
	for y := range dst.H {
		iy, fy := centre(y, dst.H, src.H)
		for x := range dst.W {
			ix, fx := centre(x, dst.W, src.W)
			if ix < 0 {
				ix, fx = 0, 0
			}
			if ix >= src.W-1 {
				ix, fx = src.W-1, 0
			}
			for c := range 3 {
				across := func(y int) int {
					y = min(max(y, 0), src.H-1)
					s := src.Pix[3*y*src.W+c:]
					return int(s[3*ix])*round((1-fx)*2048) + int(s[3*min(ix+1, src.W-1)])*round(fx*2048)
				}
				a, b := round((1-fy)*2048), round(fy*2048)
				v := (a*(across(iy)>>4)>>16 + b*(across(iy+1)>>4)>>16 + 2) >> 2
				dst.Pix[3*(y*dst.W+x)+c] = byte(v)
			}
		}
	}
}

func referencePillow(dst, src *frame.RGB) {
	across := frame.NewRGB(dst.W, src.H)
	referencePillowPass(dst.W, src.W, src.H,
		func(x, y, c int) byte { return src.Pix[3*(y*src.W+x)+c] },
		func(x, y, c int, v byte) { across.Pix[3*(y*dst.W+x)+c] = v })
	referencePillowPass(dst.H, src.H, dst.W,
		func(y, x, c int) byte { return across.Pix[3*(y*dst.W+x)+c] },
		func(y, x, c int, v byte) { dst.Pix[3*(y*dst.W+x)+c] = v })
}

// referencePillowPass scales one direction of in entries to out, on each of lines.
func referencePillowPass(out, in, lines int, get func(i, line, c int) byte, set func(i, line, c int, v byte)) {
	scale := float64(in) / float64(out)
	fs := max(scale, 1)
	for d := range out {
		centre := float64((float64(d) + 0.5) * scale)
		lo, hi := max(int(centre-fs+0.5), 0), min(int(centre+fs+0.5), in)
		sum := 0.0
		weight := func(i int) float64 {
			return max(0, 1-math.Abs(float64((float64(i)-centre+0.5)*(1/fs))))
		}
		for i := lo; i < hi; i++ {
			sum += weight(i)
		}
		for line := range lines {
			for c := range 3 {
				total := 1 << 21
				for i := lo; i < hi; i++ {
					w := int(float64(weight(i)/sum*(1<<22)) + 0.5)
					total += w * int(get(i, line, c))
				}
				set(d, line, c, byte(min(total>>22, 255)))
			}
		}
	}
}
