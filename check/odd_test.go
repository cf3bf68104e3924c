package check_test

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/check"
	"github.com/pptsn/pptsn/internal/testdata"
)

// oddVideos are what the README of the data tells of each file: whether it can be
// opened, whether fewer frames decode than the container claims, decode errors,
// rotation, fields, an average rate other than the nominal one.
var oddVideos = map[string][]check.Kind{
	"rotated-0.mov":                nil,
	"rotated-90.mov":               {check.Rotated},
	"rotated-180.mov":              {check.Rotated},
	"rotated-iphone.mov":           {check.Rotated},
	"rotated-rails.mp4":            {check.Rotated},
	"rotated-nasa-270.mp4":         {check.Rotated},
	"gen-rotated-90.mp4":           {check.Rotated},
	"vfr-600.mov":                  {check.VariableRate},
	"gen-vfr.mp4":                  {check.VariableRate},
	"newtonscradle.gif":            {check.VariableRate},
	"fragmented.mp4":               nil,
	"full-range-bt601.mp4":         nil,
	"odd-dims-444.mp4":             nil,
	"mpeg2.mxf":                    nil,
	"theora.ogv":                   nil,
	"av1.mkv":                      nil,
	"te[s]t_ video ' _ .flv":       nil,
	"-video-with-dash-.mp4":        nil,
	"gen archery with space.mp4":   nil,
	"gen-射箭-лук.mp4":               nil,
	"gen-audio-longer.mp4":         nil,
	"gen-two-video-streams.mkv":    nil,
	"gen-pts-wrap.ts":              nil,
	"edit-list-discard.mp4":        {check.FrameCountLie},
	"gen-edit-list.mp4":            {check.FrameCountLie},
	"claims-25-has-5.mov":          {check.FrameCountLie},
	"gen-claims-500-has-60.avi":    {check.FrameCountLie},
	"corrupted-decord.mp4":         {check.Damaged, check.FrameCountLie},
	"gen-corrupt-middle.mp4":       {check.Damaged, check.FrameCountLie},
	"gen-truncated-faststart.mp4":  {check.Truncated, check.FrameCountLie},
	"gen-interlaced-tff-h264.mp4":  {check.Interlaced},
	"gen-interlaced-tff.mpg":       {check.Interlaced},
	"audio-only.mp4":               {check.Unreadable},
	"gen-audio-with-cover.m4a":     {check.Unreadable},
	"zero-byte.webm":               {check.Unreadable},
	"gen-zero-byte.mp4":            {check.Unreadable},
	"gen-text-named.mp4":           {check.Unreadable},
	"missing-moov.mp4":             {check.Unreadable},
	"gen-missing-moov.mp4":         {check.Unreadable},
	"chunk-out-of-range.mp4":       {check.Unreadable},
	"bad-timescale.mp4":            {check.Unreadable},
	"claims-14315-frames.mp4":      {check.Unreadable},
	"init-segment-only.mp4":        {check.Unreadable},
	"gen-0-frames.avi":             {check.Unreadable},
	"gen-1-frames.mp4":             {check.TooShort},
	"gen-2-frames.mp4":             {check.TooShort},
	"one-frame-msmpeg4.avi":        {check.TooShort},
	"frame-exceeds-screen.gif":     {check.TooShort},
	"unordered.mov":                nil, // 4 frames, more than the 3 segments
	"damaged.mpg":                  {check.Damaged},
	"gen-resolution-change.ts":     {check.SizeChange, check.VariableRate}, // two recordings joined: time begins anew
	"no-duration.webm":             {check.NoDuration},
	"gen-live-no-duration.mkv":     {check.NoDuration},
	"gen-claims-nothing-there.mp4": {check.Missing}, // not among them
}

func TestOddVideos(t *testing.T) {
	dir := filepath.Join(testdata.Shared(t), "data", "odd-videos")
	s := &scratch{t: t, dir: t.TempDir()}
	names := slices.Sorted(maps.Keys(oddVideos))
	for _, name := range names {
		s.train = append(s.train, name+" 0")
	}
	o := s.options()
	o.Names, o.Lists = nil, o.Lists[:1]
	o.Lists[0].Prefix, o.Lists[0].Segments = dir, 3
	got := map[string][]check.Kind{}
	o.Each = func(f check.Finding) { got[f.Name] = append(got[f.Name], f.Kind) }
	if _, err := check.Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	for name, want := range oddVideos {
		have := slices.DeleteFunc(got[name], func(k check.Kind) bool {
			// Frames that were lost leave a gap in time as well.
			return k == check.VariableRate && !slices.Contains(want, k) && strings.Contains("damaged.mpg gen-truncated-faststart.mp4", name)
		})
		if !slices.Equal(have, want) {
			t.Errorf("%s: %v, want %v", name, have, want)
		}
	}
}
