package frame

// Crop copies into dst the box of dst's size whose top left pixel is (x, y) in
// src. It panics unless the box lies inside src.
func Crop(dst, src *RGB, x, y int) {
	if x < 0 || y < 0 || x+dst.W > src.W || y+dst.H > src.H {
		panic("frame: crop outside the picture")
	}
	for i := range dst.H {
		copy(dst.Pix[3*i*dst.W:3*(i+1)*dst.W], src.Pix[3*((y+i)*src.W+x):])
	}
}

// Flip writes src into dst mirrored left to right. Both have the same size;
// they may be the same picture.
func Flip(dst, src *RGB) {
	mustMatch(dst, src)
	for y := range src.H {
		flipRow(dst.Pix[3*y*dst.W:3*(y+1)*dst.W], src.Pix[3*y*src.W:3*(y+1)*src.W])
	}
}

// flipRow reads both ends before it writes them, so dst may be src.
func flipRow(dst, src []byte) {
	for i, j := 0, len(src)-3; i <= j; i, j = i+3, j-3 {
		l, r := [3]byte(src[i:]), [3]byte(src[j:])
		*(*[3]byte)(dst[i:]) = r
		*(*[3]byte)(dst[j:]) = l
	}
}

func mustMatch(a, b *RGB) {
	if a.W != b.W || a.H != b.H {
		panic("frame: pictures of different size")
	}
}
