package schedule

import "sync"

// stride is how many steps of a walk lie between two that are remembered: a
// million iterations take 32 kB.
const stride = 256

// A walk is a sequence in which each number follows from the one before. Any
// of them is found in at most stride steps, once the walk came by.
type walk struct {
	next func(i int, last float64) float64 // number i from number i-1

	mu    sync.Mutex
	marks []float64 // numbers 0, stride, 2*stride, ...
}

func newWalk(first float64, next func(i int, last float64) float64) *walk {
	return &walk{next: next, marks: []float64{first}}
}

// at is number i of the walk.
func (w *walk) at(i int) float64 {
	v := w.mark(i / stride)
	for k := i - i%stride + 1; k <= i; k++ {
		v = w.next(k, v)
	}
	return v
}

func (w *walk) mark(m int) float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.marks) <= m {
		from := (len(w.marks) - 1) * stride
		v := w.marks[len(w.marks)-1]
		for k := from + 1; k <= from+stride; k++ {
			v = w.next(k, v)
		}
		w.marks = append(w.marks, v)
	}
	return w.marks[m]
}
