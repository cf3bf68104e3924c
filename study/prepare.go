package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// prepare makes the pictures of all clips once, and the folds' lists. It
// returns the number of classes.
func (o options) prepare(ctx context.Context) (classes int, err error) {
	group, err := regexp.Compile(o.group)
	if err != nil {
		return 0, fmt.Errorf("-group-by: %w", err)
	}
	data, err := filepath.Abs(o.data)
	if err != nil {
		return 0, err
	}
	if err := os.MkdirAll(filepath.Join(o.work, "lists"), 0o755); err != nil {
		return 0, err
	}
	for _, args := range [][]string{
		{"prepare", "folder", data, "--val", "0", "-o", "lists", "--force"},
		{"prepare", "frames", "--list", "lists/train.list", "--prefix", data, "-o", "frames", "--short-side", fmt.Sprint(shortSide)},
	} {
		if _, err := o.call(ctx, filepath.Join(o.work, "prepare.log"), args...); err != nil {
			return 0, err
		}
	}
	return o.writeFolds(group)
}

// writeFolds deals the clips of the list of pictures.
func (o options) writeFolds(group *regexp.Regexp) (classes int, err error) {
	list, err := os.ReadFile(filepath.Join(o.work, "frames", "train_frames.list"))
	if err != nil {
		return 0, err
	}
	clips, err := parseClips(string(list), group)
	if err != nil {
		return 0, fmt.Errorf("frames/train_frames.list: %w", err)
	}
	folds := deal(clips, seedCount)
	for s := range seedCount {
		split := fmt.Sprint("fold-", s)
		err = errors.Join(err,
			o.writeList(split, "train", lines(clips, folds, func(f int) bool { return f != s })),
			o.writeList(split, "test", lines(clips, folds, func(f int) bool { return f == s })))
	}
	err = errors.Join(err,
		o.writeList("inner", "train", lines(clips, folds, func(f int) bool { return f >= 2 })),
		o.writeList("inner", "test", lines(clips, folds, func(f int) bool { return f == 1 })))
	return 1 + slices.MaxFunc(clips, func(a, b clip) int { return a.label - b.label }).label, err
}

func (o options) writeList(split, use, text string) error {
	dir := filepath.Join(o.work, "lists", split)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, use+".list"), []byte(text), 0o644)
}
