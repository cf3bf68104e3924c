package main

import (
	"context"
	"errors"
	"io/fs"

	"github.com/pptsn/pptsn/clip"
	"github.com/pptsn/pptsn/video"
)

// A failure is the JSON line of a file that could not be classified.
type failure struct {
	File  string       `json:"file"`
	Error failureError `json:"error"`
}

type failureError struct {
	Kind    string `json:"kind"` // one of errorKind's, stable
	Message string `json:"message"`
}

// errorKind names an error for programs.
func errorKind(err error) string {
	for _, k := range []struct {
		is   error
		kind string
	}{
		{fs.ErrNotExist, "not_found"},
		{fs.ErrPermission, "permission"},
		{video.ErrEmpty, "empty_file"},
		{video.ErrNoVideoStream, "no_video_stream"},
		{video.ErrNoFrames, "no_frames"},
		{clip.ErrNoFrames, "no_frames"},
		{errNoVideos, "no_videos"},
		{context.DeadlineExceeded, "timeout"},
		{context.Canceled, "interrupted"},
	} {
		if errors.Is(err, k.is) {
			return k.kind
		}
	}
	var open *video.OpenError
	var decode *video.DecodeError
	switch {
	case errors.As(err, &open):
		return "not_a_video"
	case errors.As(err, &decode):
		return "damaged"
	}
	return "failed"
}
