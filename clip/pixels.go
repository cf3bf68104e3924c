package clip

// Pixels returns the views from (inclusive) to to (exclusive) as Views does,
// but not normalised: bytes [to-from, H, W, 3], the order in which pictures and
// devices that compute with channels last hold them, so rows are copied as they
// are. Normalization says what Views makes of them.
func (c *Clip) Pixels(dst []byte, from, to int) []byte {
	views := c.views[from:to]
	n := 3 * c.size.X * c.size.Y
	if dst == nil {
		dst = make([]byte, n*len(views))
	}
	dst = dst[: n*len(views) : len(dst)]
	parallel(len(views), c.workers, func(i int) {
		views[i].pixels(dst[i*n : (i+1)*n])
	})
	return dst
}

// Normalization is what Views does to pixels. Whoever does it elsewhere gets
// the same numbers if each operation is rounded to float32.
func (c *Clip) Normalization() Normalize { return c.normalize }

// pixels writes the view to dst as [H, W, 3].
func (v view) pixels(dst []byte) {
	row := 3 * v.box.Dx()
	for y := range v.box.Dy() {
		src := v.pic.Pix[3*((v.box.Min.Y+y)*v.pic.W+v.box.Min.X):][:row]
		if v.mirrored {
			mirror(dst[y*row:][:row], src)
		} else {
			copy(dst[y*row:], src)
		}
	}
}

// mirror copies a row of pixels right to left.
func mirror(dst, src []byte) {
	for len(dst) >= 3 && len(src) >= 3 {
		p := src[len(src)-3:]
		dst[0], dst[1], dst[2] = p[0], p[1], p[2]
		dst, src = dst[3:], src[:len(src)-3]
	}
}
