package convert

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pptsn/pptsn/tsn"
)

// A unit is a convolution with its batch norm, where it stands in a residual
// network.
type unit struct {
	stage int // of 4; -1: the stem
	block int // of the stage; in the stem, the number of the convolution
	conv  int // of the block; short: the projection beside it
}

const (
	stem  = -1
	short = -1
)

// unitOf finds the unit that a parameter belongs to and what follows its name
// there. ok is false for the classifier's.
func unitOf(p tsn.Param) (u unit, rest string, ok bool) {
	name, ok := strings.CutPrefix(p.Name, "backbone.")
	if !ok {
		return unit{}, "", false
	}
	for _, layer := range []string{"._conv.", "._batch_norm."} {
		if path, suffix, ok := strings.Cut(name, layer); ok {
			return unitAt(path), layer + suffix, true
		}
	}
	panic("convert: parameter " + p.Name) // of tsn.Build
}

// unitAt reads a path such as conv1_2, bb_2_5.conv1, res4b12.short.
func unitAt(path string) unit {
	block, layer, inBlock := strings.Cut(path, ".")
	if !inBlock {
		i := 1
		fmt.Sscanf(block, "conv1_%d", &i) // TSN has "conv" alone
		return unit{stem, i - 1, 0}
	}
	u := unit{conv: short}
	if layer != "short" {
		u.conv = int(layer[len("conv")] - '0')
	}
	if _, err := fmt.Sscanf(block, "bb_%d_%d", &u.stage, &u.block); err != nil {
		u.stage, u.block = caffeBlock(block)
	}
	return u
}

// caffeBlock reads res2a, res2b, ... and res4b1, res4b2, ...
func caffeBlock(name string) (stage, block int) {
	stage = int(name[len("res")] - '2')
	letter, number := name[len("res")+1], name[len("res")+2:]
	if n, err := strconv.Atoi(number); err == nil {
		return stage, n
	}
	return stage, int(letter - 'a')
}
