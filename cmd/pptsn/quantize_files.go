package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/pptsn/pptsn/internal/textfile"
	"github.com/pptsn/pptsn/quantize"
)

// writable reports a folder in which no file can be made, or that cannot be made
// itself. It leaves nothing behind.
func writable(dir string) error {
	for parent := filepath.Dir(dir); parent != dir; dir, parent = parent, filepath.Dir(parent) {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	f, err := os.CreateTemp(dir, ".pptsn-*.tmp")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// samples are the clips to choose scales with and those to check with.
func (o *quantizeOptions) samples(stdin io.Reader, classes int) (calibrate, check []quantize.Sample, err error) {
	videos, err := allSamples(o.videos, stdin, classes)
	if err != nil {
		return nil, nil, err
	}
	if len(o.check) == 0 {
		calibrate, check = quantize.Split(videos, o.clips)
		return calibrate, check, nil
	}
	if check, err = allSamples(o.check, stdin, classes); err != nil {
		return nil, nil, err
	}
	return quantize.Without(videos, check, o.clips), check, nil
}

func allSamples(inputs []string, stdin io.Reader, classes int) ([]quantize.Sample, error) {
	var all []quantize.Sample
	for _, input := range inputs {
		list, err := samplesOf(input, stdin)
		if err != nil {
			return nil, err
		}
		for _, s := range list {
			if s.Label >= classes {
				return nil, fmt.Errorf("%s: %s has label %d, the model has classes 0 to %d: the list is of other classes", input, s.Path, s.Label, classes-1)
			}
		}
		all = append(all, list...)
	}
	return all, nil
}

// samplesOf are the videos that one argument names, with labels where it is a
// list file that has them.
func samplesOf(input string, stdin io.Reader) (list []quantize.Sample, err error) {
	if input != "-" {
		if _, err := os.Stat(input); err != nil {
			return nil, err
		}
		if isList(input) {
			return readSamples(input)
		}
	}
	for file, err := range expand(input, stdin) {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		list = append(list, quantize.Sample{Path: file, Label: quantize.Unlabelled})
	}
	return list, nil
}

func readSamples(file string) (list []quantize.Sample, err error) {
	text, err := textfile.Read(file)
	if err != nil {
		return nil, err
	}
	dir := filepath.Dir(file)
	for _, line := range textfile.Lines(text) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		path := resolve(line, dir)
		list = append(list, quantize.Sample{Path: path, Label: labelBehind(path, line, dir)})
	}
	return list, nil
}

// labelBehind is the number that follows a path in its line of a list.
func labelBehind(path, line, dir string) int {
	i := strings.LastIndexAny(line, " \t,")
	if i < 0 || path == line || path == filepath.Join(dir, line) {
		return quantize.Unlabelled
	}
	label, err := strconv.Atoi(strings.TrimSpace(line[i+1:]))
	if err != nil || label < 0 {
		return quantize.Unlabelled
	}
	return label
}
