package clip_test

import (
	"context"
	"fmt"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/frame"
)

// black is a video of black frames.
type black struct{ frames, w, h int }

func (b black) Len() int { return b.frames }

func (b black) Frames(_ context.Context, indices []int) ([]*frame.RGB, error) {
	pics := make([]*frame.RGB, len(indices))
	for i := range pics {
		pics[i] = frame.NewRGB(b.w, b.h)
	}
	return pics, nil
}

// A network takes the views a few at a time.
func ExampleLoad() {
	spec, err := clip.ParseSpec([]byte(`{
		"sampling": {"mode": "select_left", "segments": 25},
		"steps": [
			{"scale": {"short_side": 256, "fixed_ratio": false, "round": true, "backend": "opencv"}},
			{"ten_crop": {"size": 224}},
			{"normalize": {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}}
		]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := clip.Load(context.Background(), black{frames: 300, w: 340, h: 256}, spec, clip.Options{Workers: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	h, w := c.Size()
	batch := make([]float32, 50*3*h*w)
	for v := 0; v < c.Len(); v += 50 {
		c.Views(batch, v, v+50)
	}
	fmt.Printf("[%d, 3, %d, %d], first frames %v, black red is %.4f\n", c.Len(), h, w, c.Frames[:3], batch[0])
	// Output: [250, 3, 224, 224], first frames [6 18 30], black red is -2.1179
}

func ExampleSampling_Indices() {
	for _, mode := range []clip.Mode{clip.SelectLeft, clip.Linspace, clip.Plain} {
		indices, err := clip.Sampling{Mode: mode, Segments: 3}.Indices(10, nil)
		fmt.Println(mode, indices, err)
	}
	// Output:
	// select_left [1 5 8] <nil>
	// linspace [0 4 9] <nil>
	// plain [1 4 7] <nil>
}
