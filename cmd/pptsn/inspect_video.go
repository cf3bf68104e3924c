package main

import (
	"context"
	"fmt"
	"io"

	"github.com/pptsn/pptsn/video"
)

// A videoReport says what a video file holds.
type videoReport struct {
	File         string  `json:"file"`
	Kind         string  `json:"kind"` // "video"
	Container    string  `json:"container"`
	Codec        string  `json:"codec"`
	Width        int     `json:"width"`    // as shown, after rotation
	Height       int     `json:"height"`   // as shown, after rotation
	Rotation     int     `json:"rotation"` // degrees clockwise by which stored pictures are turned
	Frames       int     `json:"frames"`   // that truly decode
	Claimed      int     `json:"claimed_frames,omitempty"`
	FPS          float64 `json:"fps"`      // average; 0 if unknown
	Duration     float64 `json:"duration"` // seconds; 0 if unknown
	Interlaced   bool    `json:"interlaced"`
	VariableRate bool    `json:"variable_rate"`
}

func inspectVideo(ctx context.Context, file string) (report, error) {
	f, err := video.Open(ctx, file, video.Options{})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	n, err := f.Count(ctx)
	if err != nil {
		return nil, err
	}
	i := f.Info()
	return videoReport{
		File: file, Kind: "video", Container: i.Container, Codec: i.Codec, Width: i.Width, Height: i.Height,
		Rotation: i.Rotation, Frames: n, Claimed: i.Claimed, FPS: i.FPS, Duration: i.Duration.Seconds(),
		Interlaced: i.Interlaced, VariableRate: i.Variable,
	}, nil
}

func (r videoReport) text(w io.Writer) error {
	fmt.Fprintf(w, "%s\n  %s video in %s, %dx%d pixels", r.File, r.Codec, r.Container, r.Width, r.Height)
	if r.Rotation != 0 {
		fmt.Fprintf(w, " after turning by %d degrees", r.Rotation)
	}
	fmt.Fprintf(w, "\n  %d frames", r.Frames)
	if r.Claimed != 0 && r.Claimed != r.Frames {
		fmt.Fprintf(w, " (the file claims %d)", r.Claimed)
	}
	if r.FPS > 0 {
		fmt.Fprintf(w, ", %.4g a second", r.FPS)
	}
	if r.VariableRate {
		fmt.Fprint(w, " at a variable rate")
	}
	if r.Duration > 0 {
		fmt.Fprintf(w, ", %.3f s", r.Duration)
	}
	if r.Interlaced {
		fmt.Fprint(w, ", interlaced")
	}
	_, err := fmt.Fprintln(w)
	return err
}
