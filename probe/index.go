package probe

import "github.com/pptsn/pptsn/video"

func indexOf(f *video.File) []byte { return nil }
