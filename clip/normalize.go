package clip

import (
	"fmt"
	"math"
)

// A table maps the bytes of each channel to normalised values.
type table [3][256]float32

func (n Normalize) table() *table {
	t := new(table)
	for c := range t {
		for p := range t[c] {
			t[c][p] = (float32(p)/255 - n.Mean[c]) / n.Std[c]
		}
	}
	return t
}

// normalize writes the view's pixels to dst as [3, H, W].
func (t *table) normalize(dst []float32, v view) {
	w, h := v.box.Dx(), v.box.Dy()
	for y := range h {
		row := v.pic.Pix[3*((v.box.Min.Y+y)*v.pic.W+v.box.Min.X):][:3*w]
		r := dst[y*w:][:w]
		g := dst[(h+y)*w:][:w]
		b := dst[(2*h+y)*w:][:w]
		if v.mirrored {
			t.backward(r, g, b, row)
		} else {
			t.forward(r, g, b, row)
		}
	}
}

// forward splits one row into its channels: len(row) == 3*len(r).
func (t *table) forward(r, g, b []float32, row []byte) {
	g, b = g[:len(r)], b[:len(r)]
	for x := range r {
		p := row[:3]
		r[x], g[x], b[x] = t[0][p[0]], t[1][p[1]], t[2][p[2]]
		row = row[3:]
	}
}

// backward is forward, right to left.
func (t *table) backward(r, g, b []float32, row []byte) {
	g, b = g[:len(r)], b[:len(r)]
	for x := range r {
		p := row[len(row)-3:]
		r[x], g[x], b[x] = t[0][p[0]], t[1][p[1]], t[2][p[2]]
		row = row[:len(row)-3]
	}
}

func (n Normalize) name() string                              { return "normalize" }
func (n Normalize) predict(k known) (known, error)            { return k, nil }
func (n Normalize) apply(views []view, _ env) ([]view, error) { return views, nil } // when views are cut

func (n Normalize) validate() error {
	for c := range n.Mean {
		if m := float64(n.Mean[c]); math.IsNaN(m) || math.IsInf(m, 0) {
			return fmt.Errorf("mean %v: want a finite number", m)
		}
		if s := float64(n.Std[c]); s == 0 || math.IsNaN(s) || math.IsInf(s, 0) {
			return fmt.Errorf("std %v: want a finite number other than 0", s)
		}
	}
	return nil
}
