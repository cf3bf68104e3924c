package main

import (
	"fmt"

	"github.com/pptsn/pptsn/contact"
)

// crops are the views of clip.TenCrop: each corner, then the same mirrored.
var crops = [10]string{
	"top left", "top left, mirrored",
	"top right", "top right, mirrored",
	"bottom left", "bottom left, mirrored",
	"bottom right", "bottom right, mirrored",
	"centre", "centre, mirrored",
}

// rows lays out one clip: its frames side by side or, of ten crops, a row for
// each frame.
func (b *browser) rows(a appearance) []contact.Row {
	first := contact.Row{}
	if a.epoch == b.epoch {
		first.Title = a.title
	}
	if b.epochs > 1 {
		first.Name = fmt.Sprintf("epoch %d", a.epoch)
	}
	if a.err != nil {
		first.Error = a.err.Error()
		return []contact.Row{first}
	}
	t := len(a.clip.Frames)
	if a.clip.Len() == len(crops)*t {
		return tenCrops(first, a)
	}
	for v := range a.clip.Len() {
		first.Cells = append(first.Cells, contact.Cell{Picture: a.clip.Picture(v), Text: frameText(a.clip.Frames[v%t])})
	}
	return []contact.Row{first}
}

func tenCrops(first contact.Row, a appearance) []contact.Row {
	rows := make([]contact.Row, len(a.clip.Frames))
	rows[0] = first
	for f, number := range a.clip.Frames {
		for crop, name := range crops {
			rows[f].Cells = append(rows[f].Cells, contact.Cell{
				Picture: a.clip.Picture(crop*len(a.clip.Frames) + f),
				Text:    frameText(number) + "\n" + name,
			})
		}
	}
	return rows
}

func frameText(n int) string { return fmt.Sprintf("frame %d", n) }
