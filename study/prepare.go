package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
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

func (o options) writeFolds(group *regexp.Regexp) (classes int, err error) {
	list, err := os.ReadFile(filepath.Join(o.work, "frames", "train_frames.list"))
	if err != nil {
		return 0, err
	}
	clips, err := parseClips(string(list), group)
	if err != nil {
		return 0, err
	}
	folds := deal(clips, seedCount)
	write := func(split, use string, keep func(int) bool) {
		if err == nil {
			err = o.writeList(split, use, lines(clips, folds, keep))
		}
	}
	for s := range seedCount {
		write(fmt.Sprint("fold-", s), "train", func(f int) bool { return f != s })
		write(fmt.Sprint("fold-", s), "test", func(f int) bool { return f == s })
	}
	write("inner", "train", func(f int) bool { return f >= 2 })
	write("inner", "test", func(f int) bool { return f == 1 })
	names, readErr := os.ReadFile(filepath.Join(o.work, "lists", "labels.txt"))
	if err == nil {
		err = readErr
	}
	return len(strings.Fields(strings.ReplaceAll(string(names), " ", "_"))), err
}

func (o options) writeList(split, use, text string) error {
	dir := filepath.Join(o.work, "lists", split)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, use+".list"), []byte(text), 0o644)
}
