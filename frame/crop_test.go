package frame_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/pptsn/pptsn/frame"
)

func TestCropParity(t *testing.T) {
	var kit struct {
		Formula formula
		Cases   []struct {
			content
			W, H int
			X1   int
			Y1   int
			OutW int `json:"out_w"`
			OutH int `json:"out_h"`
		}
	}
	dir := readKit(t, "center_crop.json", &kit)
	for _, tc := range kit.Cases {
		t.Run(fmt.Sprintf("%dx%d at %d,%d", tc.W, tc.H, tc.X1, tc.Y1), func(t *testing.T) {
			dst := frame.NewRGB(tc.OutW, tc.OutH)
			frame.Crop(dst, kit.Formula.frame(0, tc.W, tc.H), tc.X1, tc.Y1)
			tc.check(t, dir, dst)
		})
	}
}

func TestFlipParity(t *testing.T) {
	var kit struct {
		Formula formula
		Cases   []struct {
			W, H       int
			FlipSHA256 []string `json:"flip_sha256"`
		}
	}
	dir := readKit(t, "flip_array_norm.json", &kit)
	for _, tc := range kit.Cases {
		for i, sum := range tc.FlipSHA256 {
			t.Run(fmt.Sprintf("%dx%d frame %d", tc.W, tc.H, i), func(t *testing.T) {
				m := kit.Formula.frame(i, tc.W, tc.H)
				frame.Flip(m, m)
				content{SHA256: sum}.check(t, dir, m)
			})
		}
	}
}

func TestFlip(t *testing.T) {
	for _, tc := range []struct {
		w         int
		src, want string // three letters a pixel
	}{
		{1, "abc", "abc"},
		{2, "abcdef", "defabc"},
		{3, "abcdefghi", "ghidefabc"},
	} {
		src := &frame.RGB{W: tc.w, H: 1, Pix: []byte(tc.src)}
		dst := frame.NewRGB(tc.w, 1)
		if frame.Flip(dst, src); string(dst.Pix) != tc.want {
			t.Errorf("%q flipped is %q, want %q", tc.src, dst.Pix, tc.want)
		}
		if frame.Flip(src, src); string(src.Pix) != tc.want {
			t.Errorf("%q flipped in place is %q, want %q", tc.src, src.Pix, tc.want)
		}
	}
}

func TestCropOutsidePanics(t *testing.T) {
	for _, at := range [][2]int{{-1, 0}, {0, -1}, {2, 0}, {0, 2}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("crop at %v did not panic", at)
				}
			}()
			frame.Crop(frame.NewRGB(2, 2), frame.NewRGB(3, 3), at[0], at[1])
		}()
	}
}

func ExampleCrop() {
	src := &frame.RGB{W: 3, H: 2, Pix: bytes.Repeat([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9}, 2)}
	dst := frame.NewRGB(2, 1)
	frame.Crop(dst, src, 1, 0)
	fmt.Println(dst.Pix)
	// Output: [4 5 6 7 8 9]
}

func ExampleResizeOpenCV() {
	src := &frame.RGB{W: 2, H: 1, Pix: []byte{0, 0, 0, 200, 100, 40}}
	dst := frame.NewRGB(4, 1)
	frame.ResizeOpenCV(dst, src)
	fmt.Println(dst.Pix)
	// Output: [0 0 0 50 25 10 150 75 30 200 100 40]
}
