package torch

import (
	"errors"
	"slices"
	"testing"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/tensor"
)

// Every byte becomes the number that clip.Views makes of it, to the last bit.
func TestNormalizeIsThatOfViews(t *testing.T) {
	session, err := NewSession(SessionOptions{})
	if errors.As(err, new(*NotFoundError)) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	n := clip.Normalize{Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225}}
	const views, h, w = 3, 4, 64 // 256 values of each channel
	pixels := tensor.New(tensor.Uint8, views*h*w*3)
	want := tensor.New(tensor.Float32, views, 3, h, w)
	for i := range pixels.Data {
		pixels.Data[i] = byte(i / 3)
		v, at, c := i/(3*h*w), i/3%(h*w), i%3
		want.Float32s()[(3*v+c)*h*w+at] = (float32(byte(i/3))/255 - n.Mean[c]) / n.Std[c]
	}
	err = session.Do(t.Context(), func(s *Scope) error {
		x := s.normalize(s.normalizer(n, w), s.From(pixels), views, h, w)
		if got := s.Dense(x, tensor.Float32); got != nil && (!slices.Equal(got.Shape, want.Shape) || !slices.Equal(got.Data, want.Data)) {
			t.Errorf("%s differs from what clip.Views gives", got)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
