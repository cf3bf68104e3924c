package prepare

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/jpeg"
	"github.com/pptsn/pptsn/video"
)

// Frames makes a folder of JPEG pictures of each video: img_00001.jpg and so on,
// every frame that decodes or every n-th, numbered without holes.
type Frames struct {
	ShortSide int `json:"short_side"` // pixels that the shorter side is scaled down to; 0: as it is
	Quality   int `json:"quality"`    // of JPEG, 1 to 100
	Every     int `json:"every"`      // 2: the first, the third, ... frame; at least 1
}

// framesPattern names the pictures, as the reference's configurations do.
const framesPattern = "img_{:05}.jpg"

// recordName is the file that says how a folder was made. It begins with a dot
// so that no pattern of pictures fits it.
const recordName = ".pptsn.json"

// Run makes what is not there yet and then writes the plan's lists again as
// NAME_frames.list, "dir frames label" a line. What an earlier run finished with
// the same settings, of videos that did not change since, is kept; a folder has its
// name only once it is finished.
//
// A video that gives no picture is counted and left out of the lists. An error
// says that the run could not begin or go on; that of a full disk is ENOSPC.
func (f Frames) Run(ctx context.Context, p *Plan, o RunOptions) (Summary, error) {
	return runPlan(ctx, p, f, o)
}

func (f Frames) kind() string   { return "frames" }
func (f Frames) suffix() string { return "" }

func (f Frames) check(p *Plan) error {
	if f.ShortSide < 0 || f.Quality < 1 || f.Quality > 100 || f.Every < 1 {
		return fmt.Errorf("short side %d, quality %d, every %d: want 0 and up, 1 to 100, 1 and up", f.ShortSide, f.Quality, f.Every)
	}
	return p.nested()
}

func (f Frames) line(name string, pictures, label int) (string, error) {
	return dataset.FormatLine(name, pictures, label)
}

func (f Frames) make(ctx context.Context, source, path string, rec record) (Made, error) {
	pattern, err := clip.ParsePattern(framesPattern)
	if err != nil {
		return Made{}, err
	}
	if err := os.Mkdir(path, 0o777); err != nil {
		return Made{}, err
	}
	v, err := video.Open(ctx, source, video.Options{})
	if err != nil {
		return Made{}, err
	}
	defer v.Close()
	var m Made
	var data []byte
	small := shrinker{short: f.ShortSide}
	m.Faults, err = v.Each(ctx, func(p *video.Picture) error {
		if p.Index%f.Every != 0 {
			return nil
		}
		img, err := p.RGB()
		if err != nil {
			return err
		}
		if data, err = jpeg.Encode(data[:0], small.apply(img), f.Quality); err != nil {
			return err
		}
		m.Pictures++
		m.Bytes += int64(len(data))
		return os.WriteFile(filepath.Join(path, pattern.Name(m.Pictures)), data, 0o666)
	})
	if err != nil {
		return Made{}, err
	}
	if m.Pictures == 0 {
		return Made{}, video.ErrNoFrames
	}
	rec.Pictures = m.Pictures
	text, err := rec.text()
	if err != nil {
		return Made{}, err
	}
	return m, os.WriteFile(filepath.Join(path, recordName), text, 0o666)
}

// read counts the pictures too: a folder from which one was taken is not what
// its record says.
func (f Frames) read(path string) (record, error) {
	text, err := readRecord(filepath.Join(path, recordName))
	if errors.Is(err, fs.ErrNotExist) {
		names, err := os.ReadDir(path)
		if err == nil && len(names) > 0 {
			err = errForeign
		} else if err == nil {
			err = fs.ErrNotExist // an empty folder
		}
		return record{}, err
	}
	if err != nil {
		return record{}, errForeign
	}
	rec, err := parseRecord(text)
	if err != nil {
		return record{}, nil // ours, but of no use
	}
	folder, err := clip.OpenFolder(path, framesPattern, jpeg.Decode)
	if err != nil || folder.N != rec.Pictures {
		rec.Pictures = 0
	}
	return rec, nil
}
