package main

import (
	"bufio"
	"context"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/pptsn/pptsn/prepare"
)

var listExtensions = []string{".txt", ".list", ".csv"}

// files are the videos that the command line names, one after another: a long
// list is not held in memory. An error that is yielded stands for an input that
// could not be read.
func (o *predictOptions) files(ctx context.Context, stdin io.Reader) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if slices.Contains(o.input, "-") {
			stdin = until(ctx, stdin)
		}
		for _, input := range o.input {
			for file, err := range expand(input, stdin) {
				if !yield(file, err) {
					return
				}
			}
		}
	}
}

// until reads r as long as ctx lasts: who waits for a line that nobody types can
// be interrupted.
func until(ctx context.Context, r io.Reader) io.Reader {
	out, in := io.Pipe()
	go func() {
		_, err := io.Copy(in, r)
		in.CloseWithError(err)
	}()
	context.AfterFunc(ctx, func() { in.CloseWithError(ctx.Err()) })
	return out
}

// count is the number of those files; -1 where that takes reading standard input
// or a pipe.
func (o *predictOptions) count() int {
	total := 0
	for _, input := range o.input {
		info, err := os.Stat(input)
		switch {
		case input == "-", err == nil && isList(input) && !info.IsDir() && !info.Mode().IsRegular():
			return -1
		case err == nil && (info.IsDir() || isList(input)):
			for range walk(input, nil, func(line, _ string) string { return line }) {
				total++
			}
		default:
			total++
		}
	}
	return total
}

func isList(input string) bool {
	return input == "-" || slices.Contains(listExtensions, strings.ToLower(filepath.Ext(input)))
}

// expand yields the videos of one argument.
func expand(input string, stdin io.Reader) iter.Seq2[string, error] {
	return walk(input, stdin, resolve)
}

// walk is expand with another way to understand a list's lines.
func walk(input string, stdin io.Reader, resolve func(line, dir string) string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		info, err := os.Stat(input)
		switch {
		case input == "-":
			readList(stdin, ".", input, resolve, yield)
		case err == nil && info.IsDir():
			readFolder(input, yield)
		case err == nil && isList(input):
			f, err := os.Open(input)
			if err != nil {
				yield(input, err)
				return
			}
			defer f.Close()
			readList(f, filepath.Dir(input), input, resolve, yield)
		default:
			yield(input, nil) // opening it says what is wrong
		}
	}
}

// readFolder yields the videos of a folder by name; not of folders in it.
func readFolder(dir string, yield func(string, error) bool) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		yield(dir, err)
		return
	}
	found := false
	for _, e := range entries {
		if e.IsDir() || !prepare.IsVideo(e.Name()) {
			continue
		}
		found = true
		if !yield(filepath.Join(dir, e.Name()), nil) {
			return
		}
	}
	if !found {
		yield(dir, errNoVideos)
	}
}

// readList yields the paths of a list, one a line, see resolve.
func readList(r io.Reader, dir, name string, resolve func(line, dir string) string, yield func(string, error) bool) {
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		line := strings.TrimSpace(strings.TrimPrefix(s.Text(), "\ufeff"))
		if line == "" {
			continue
		}
		if !yield(resolve(line, dir), nil) {
			return
		}
	}
	if err := s.Err(); err != nil {
		yield(name, err)
	}
}

// resolve finds the file that a line means: "path", or "path label" as lists
// for training have it. Paths are relative to the working folder or, where that
// has no such file, to the list's own.
func resolve(line, dir string) string {
	candidates := []string{line}
	if i := strings.LastIndexAny(line, " \t,"); i > 0 {
		if _, err := strconv.Atoi(strings.TrimSpace(line[i+1:])); err == nil {
			candidates = append(candidates, strings.TrimRight(line[:i], " \t,"))
		}
	}
	for _, c := range candidates {
		for _, path := range []string{c, filepath.Join(dir, c)} {
			if _, err := os.Stat(path); err == nil {
				return path
			}
		}
	}
	return candidates[len(candidates)-1]
}
