package clip

import (
	"image"
	"sync"
	"sync/atomic"

	"github.com/pptsn/pptsn/frame"
)

// A view is a rectangle of a picture, perhaps mirrored. Crops and flips make
// other views of the same picture: no pixel moves before it is normalised.
type view struct {
	pic      *frame.RGB
	box      image.Rectangle // inside pic, not empty
	mirrored bool            // left to right, after cutting
}

func whole(m *frame.RGB) view { return view{pic: m, box: image.Rect(0, 0, m.W, m.H)} }

func (v view) size() image.Point { return v.box.Size() }

// cut returns the part r of the view, in coordinates of the view as it shows.
func (v view) cut(r image.Rectangle) view {
	if v.mirrored {
		w := v.box.Dx()
		r.Min.X, r.Max.X = w-r.Max.X, w-r.Min.X
	}
	v.box = r.Add(v.box.Min)
	return v
}

func (v view) flip() view {
	v.mirrored = !v.mirrored
	return v
}

// picture returns the view's pixels; where it is a whole picture, that one.
func (v view) picture() *frame.RGB {
	if v == whole(v.pic) {
		return v.pic
	}
	m := frame.NewRGB(v.box.Dx(), v.box.Dy())
	frame.Crop(m, v.pic, v.box.Min.X, v.box.Min.Y)
	if v.mirrored {
		frame.Flip(m, m)
	}
	return m
}

// resize scales each view to the size that to says, equal views once.
func resize(views []view, workers int, b Backend, to func(image.Point) image.Point) []view {
	slots := make(map[view]int)
	var distinct []view
	for _, v := range views {
		if _, ok := slots[v]; !ok {
			slots[v] = len(distinct)
			distinct = append(distinct, v)
		}
	}
	parallel(len(distinct), workers, func(i int) {
		src := distinct[i].picture()
		size := to(image.Pt(src.W, src.H))
		if size == image.Pt(src.W, src.H) {
			distinct[i] = whole(src)
			return
		}
		dst := frame.NewRGB(size.X, size.Y)
		b.resize(dst, src)
		distinct[i] = whole(dst)
	})
	out := make([]view, len(views))
	for i, v := range views {
		out[i] = distinct[slots[v]]
	}
	return out
}

// parallel calls do(0) to do(n-1) on up to workers goroutines.
func parallel(n, workers int, do func(i int)) {
	workers = min(workers, n)
	if workers <= 1 {
		for i := range n {
			do(i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	wg.Wait()
}
