package video_test

import (
	"time"

	"github.com/pptsn/pptsn/frame"
	"github.com/pptsn/pptsn/video"
)

func ExampleCreate() {
	record := func(path string, pictures []*frame.RGB) error {
		w, err := video.Create(path, video.WriterOptions{Width: 320, Height: 240})
		if err != nil {
			return err
		}
		defer w.Abort() // after Close it does nothing
		for n, img := range pictures {
			if err := w.Write(img, time.Duration(n)*time.Second/25); err != nil {
				return err
			}
		}
		return w.Close()
	}
	_ = record
}
