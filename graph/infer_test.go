package graph

import (
	"slices"
	"testing"
)

func TestShapes(t *testing.T) {
	conv := func(stride, dilation, pad, groups int) Conv {
		return Conv{Stride: [2]int{stride, stride}, Dilation: [2]int{dilation, dilation}, Pad: SamePad(pad), Groups: groups}
	}
	pool := func(k, s, pad int, ceil bool) Pool {
		return Pool{Kernel: [2]int{k, k}, Stride: [2]int{s, s}, Pad: SamePad(pad), Ceil: ceil}
	}
	for _, tc := range []struct {
		name string
		op   Op
		in   [][]int
		want []int // nil: an error
	}{
		{"3x3/2 of an odd side", conv(2, 1, 1, 1), [][]int{{2, 3, 75, 101}, {8, 3, 3, 3}}, []int{2, 8, 38, 51}},
		{"dilated", conv(1, 2, 2, 1), [][]int{{1, 3, 9, 9}, {8, 3, 3, 3}}, []int{1, 8, 9, 9}},
		{"depthwise", conv(1, 1, 1, 6), [][]int{{1, 6, 5, 5}, {6, 1, 3, 3}}, []int{1, 6, 5, 5}},
		{"unknown batch", conv(1, 1, 0, 1), [][]int{{Unknown, 3, 5, 5}, {4, 3, 1, 1}}, []int{Unknown, 4, 5, 5}},
		{"unknown sides", conv(2, 1, 1, 1), [][]int{{1, 3, Unknown, Unknown}, {4, 3, 3, 3}}, []int{1, 4, Unknown, Unknown}},
		{"wrong channels", conv(1, 1, 0, 1), [][]int{{1, 4, 5, 5}, {4, 3, 1, 1}}, nil},
		{"window beyond the picture", conv(1, 1, 0, 1), [][]int{{1, 3, 2, 2}, {4, 3, 3, 3}}, nil},
		{"no stride", Conv{Groups: 1, Dilation: [2]int{1, 1}}, [][]int{{1, 3, 5, 5}, {4, 3, 1, 1}}, nil},
		{"weights of three axes", conv(1, 1, 0, 1), [][]int{{1, 3, 5, 5}, {4, 3, 1}}, nil},

		{"pool rounds down", pool(2, 2, 0, false), [][]int{{1, 4, 7, 8}}, []int{1, 4, 3, 4}},
		{"pool rounds up", pool(2, 2, 0, true), [][]int{{1, 4, 7, 8}}, []int{1, 4, 4, 4}},
		{"no window in the padding alone", pool(2, 2, 1, true), [][]int{{1, 4, 5, 4}}, []int{1, 4, 3, 3}},
		{"window that hangs over one pixel", pool(2, 2, 0, true), [][]int{{1, 4, 1, 1}}, []int{1, 4, 1, 1}},
		{"window beyond one pixel", pool(2, 2, 0, false), [][]int{{1, 4, 1, 1}}, nil},
		{"padding as large as the window", pool(2, 2, 2, false), [][]int{{1, 4, 5, 4}}, nil},

		{"linear", Linear{}, [][]int{{5, 7, 3}, {3, 4}}, []int{5, 7, 4}},
		{"linear, transposed", Linear{Transposed: true, Bias: true}, [][]int{{5, 3}, {4, 3}, {4}}, []int{5, 4}},
		{"linear of another width", Linear{}, [][]int{{5, 3}, {4, 3}}, nil},
		{"bias of another width", Linear{Bias: true}, [][]int{{5, 3}, {3, 4}, {3}}, nil},

		{"broadcast", Binary{}, [][]int{{2, 3, 4, 4}, {3, 1, 1}}, []int{2, 3, 4, 4}},
		{"broadcast both ways", Binary{}, [][]int{{2, 1, 4}, {3, 1}}, []int{2, 3, 4}},
		{"broadcast onto unknown", Binary{}, [][]int{{Unknown, 4}, {Unknown, 4}}, []int{Unknown, 4}},
		{"no broadcast", Binary{}, [][]int{{2, 3}, {2, 4}}, nil},

		{"mean", Mean{Axes: []int{1}}, [][]int{{2, 25, 512}}, []int{2, 512}},
		{"mean, kept", Mean{Axes: []int{2, 3}, Keep: true}, [][]int{{2, 3, 7, 7}}, []int{2, 3, 1, 1}},
		{"mean of no axis", Mean{Axes: []int{3}}, [][]int{{2, 25, 512}}, nil},

		{"reshape infers", Reshape{[]int{-1, 3, 4}}, [][]int{{5, 2, 3, 4}}, []int{10, 3, 4}},
		{"reshape keeps", Reshape{[]int{0, -1}}, [][]int{{5, 2, 3, 4}}, []int{5, 24}},
		{"reshape of unknown", Reshape{[]int{-1, 3, 4}}, [][]int{{Unknown, 2, 3, 4}}, []int{Unknown, 3, 4}},
		{"reshape keeps unknown", Reshape{[]int{0, -1}}, [][]int{{Unknown, 2, 3}}, []int{Unknown, 6}},
		{"reshape that does not divide", Reshape{[]int{-1, 7}}, [][]int{{5, 2}}, nil},
		{"reshape to more", Reshape{[]int{11}}, [][]int{{5, 2}}, nil},
		{"reshape with two blanks", Reshape{[]int{-1, -1}}, [][]int{{5, 2}}, nil},

		{"transpose", Transpose{[]int{2, 0, 1}}, [][]int{{5, 6, 7}}, []int{7, 5, 6}},
		{"transpose twice the same axis", Transpose{[]int{0, 0}}, [][]int{{5, 6}}, nil},
		{"transpose of axes that are not there", Transpose{[]int{5, 0, 1}}, [][]int{{5, 6, 7}}, nil},
		{"concat", Concat{1}, [][]int{{2, 3}, {2, 5}}, []int{2, 8}},
		{"concat of other sides", Concat{1}, [][]int{{2, 3}, {3, 5}}, nil},
		{"slice", Slice{[]int{1}, []int{-3}, []int{100}}, [][]int{{2, 5}}, []int{2, 3}},
		{"slice of nothing", Slice{[]int{1}, []int{4}, []int{2}}, [][]int{{2, 5}}, nil},
		{"shift", TemporalShift{Segments: 4, Ratio: 0.125}, [][]int{{8, 16, 2, 2}}, []int{8, 16, 2, 2}},
		{"shift of half a clip", TemporalShift{Segments: 4, Ratio: 0.125}, [][]int{{6, 16, 2, 2}}, nil},
		{"operand missing", Binary{}, [][]int{{2, 3}}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g, in := New("g"), []*Value(nil)
			for i, shape := range tc.in {
				in = append(in, g.Input(string(rune('a'+i)), shape...))
			}
			v, err := g.Apply("y", tc.op, in...)
			switch {
			case tc.want == nil && err == nil:
				t.Errorf("got %s, want an error", v)
			case tc.want != nil && err != nil:
				t.Error(err)
			case tc.want != nil && !slices.Equal(v.Shape, tc.want):
				t.Errorf("got %v, want %v", v.Shape, tc.want)
			}
		})
	}
}

func TestBind(t *testing.T) {
	g := New("g")
	x := g.Input("x", Unknown, 3, 8, 8)
	w := g.Param("w", 4, 3, 3, 3)
	y := g.Must("y", Conv{Stride: [2]int{2, 2}, Dilation: [2]int{1, 1}, Pad: SamePad(1), Groups: 1}, x, w)
	g.Output(y)
	bound, err := g.Bind([]int{5, 3, 8, 8})
	if err != nil {
		t.Fatal(err)
	}
	if got := bound.Outputs[0].Shape; !slices.Equal(got, []int{5, 4, 4, 4}) {
		t.Errorf("output %v", got)
	}
	if err := bound.Check(); err != nil {
		t.Error(err)
	}
	for _, shape := range [][]int{{5, 3, 8}, {5, 4, 8, 8}, {0, 3, 8, 8}, {Unknown, 3, 8, 8}} {
		if _, err := g.Bind(shape); err == nil {
			t.Errorf("bound to %v", shape)
		}
	}
}
