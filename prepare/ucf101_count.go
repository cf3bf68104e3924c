package prepare

import (
	"cmp"
	"context"
	"maps"
	"path/filepath"
	"slices"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/internal/ordered"
)

// ucf101Pattern names the pictures of a folder, as the reference extracts them.
const ucf101Pattern = "img_{:05}.jpg"

// count counts the pictures of each folder and leaves out those with holes.
func (o UCF101) count(ctx context.Context, found map[string]Clip, r *UCF101Report) error {
	names := slices.Sorted(maps.Keys(found))
	folders := make([]string, len(names))
	for i, name := range names {
		folders[i] = found[name].Name
	}
	workers, done := cmp.Or(o.Workers, 4), 0
	for c := range ordered.Map(ctx, slices.Values(folders), workers, 4*workers, o.countFolder) {
		name := names[done]
		if done++; o.Progress != nil {
			o.Progress(done, len(names))
		}
		if c.err != nil {
			r.Bad = append(r.Bad, BadClip{found[name].Name, c.err.Error()})
			delete(found, name)
			continue
		}
		clip := found[name]
		clip.Frames = c.n
		found[name] = clip
	}
	return ctx.Err()
}

// counted is how many pictures a folder has, or why it cannot be used.
type counted struct {
	n   int
	err error
}

func (o UCF101) countFolder(_ context.Context, name string) counted {
	f, err := clip.OpenFolder(filepath.Join(o.Frames, name), ucf101Pattern, nil)
	if err != nil {
		return counted{err: err}
	}
	return counted{n: f.N}
}
