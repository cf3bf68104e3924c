package check

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pptsn/pptsn/frame"
	"github.com/pptsn/pptsn/jpeg"
	"github.com/pptsn/pptsn/probe"
)

// lookFolder decodes all pictures that the list speaks of.
func (r *run) lookFolder(ctx context.Context, l *list, d *decoded, shown bool) error {
	f, err := probe.Folder(ctx, d.path, l.Pattern, d.Frames)
	if err != nil {
		return err
	}
	whole := f.There // pictures that follow each other
	if f.There < f.Listed {
		all, err := probe.Folder(ctx, d.path, l.Pattern, 0)
		if err != nil {
			return err
		}
		whole = all.There
	}
	d.found = r.judgeFolder(l, &f, whole)
	d.clip.Bytes, d.clip.Frames = f.Bytes, f.Decoded
	if f.Decoded > 0 && f.Decoded == f.Listed {
		d.pictures = f.Pictures
		d.clip.Pictures = hex.EncodeToString(f.Pictures[:])
	}
	if shown && f.There > 0 {
		d.picture = r.cell(l, l.middle(d.path, f.There), d.clipLine, frames(f.Decoded))
	}
	return nil
}

func (r *run) judgeFolder(l *list, f *probe.FolderFacts, whole int) (found []Finding) {
	say := func(k Kind, n int, format string, a ...any) {
		found = append(found, Finding{Kind: k, Frames: n, Message: fmt.Sprintf(format, a...)})
	}
	wrong := ""
	if len(f.Wrong) > 0 {
		wrong = ": " + strings.Join(f.Wrong[:min(3, len(f.Wrong))], "; ")
	}
	missing := f.Listed - f.There
	switch {
	case missing > 0 && whole == f.There:
		say(MissingFrames, whole, "the list says %d pictures, %d are there", f.Listed, whole)
	case missing > 0:
		say(MissingFrames, 0, "%d of %d pictures are not there%s", missing, f.Listed, wrong)
	case f.More > 0:
		say(MoreFrames, f.Listed+f.More, "the list says %d pictures, %d are there", f.Listed, f.Listed+f.More)
	}
	if bad := f.There - f.Decoded; bad > 0 {
		say(Unreadable, 0, "%d of %d pictures do not decode%s", bad, f.There, wrong)
	}
	if f.Sizes > 0 {
		say(SizeChange, 0, "%d of %d pictures are of another size than the first, %dx%d", f.Sizes, f.Decoded, f.Width, f.Height)
	}
	switch {
	case f.Decoded < r.MinFrames:
		say(TooShort, 0, "%s, fewer than the %d that are wanted", frames(f.Decoded), r.MinFrames)
	case f.Decoded < l.Segments:
		say(TooShort, 0, "%s for %d segments", frames(f.Decoded), l.Segments)
	}
	return found
}

// middle reads the picture in the middle of a folder of n; nil: it cannot.
func (l *list) middle(dir string, n int) *frame.RGB {
	b, err := os.ReadFile(filepath.Join(dir, l.Pattern.Name(n/2+1)))
	if err != nil {
		return nil
	}
	img, err := jpeg.Decode(b)
	if err != nil {
		return nil
	}
	return img
}
