package pdmodel

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/pptsn/pptsn/tensor"
)

// Print writes what a program is: who wrote it, what goes in and comes out,
// its operators and its parameters.
func (p *Program) Print(w io.Writer) error {
	_, err := io.WriteString(w, p.String())
	return err
}

// String is what Print writes.
func (p *Program) String() string {
	b, ops, counts := &strings.Builder{}, 0, p.OpCounts()
	for _, n := range counts {
		ops += n
	}
	fmt.Fprintf(b, "Paddle %s, %d blocks, %d operators\n", p.VersionString(), len(p.Blocks), ops)
	for _, port := range p.Inputs() {
		fmt.Fprintf(b, "input  %s\n", port)
	}
	for _, port := range p.Outputs() {
		fmt.Fprintf(b, "output %s\n", port)
	}
	for _, typ := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(b, "%6d %s\n", counts[typ], typ)
	}
	params, values := p.Params(), 0
	for _, v := range params {
		if n, ok := tensor.CheckedCount(v.Tensor.shape()); ok {
			values += n
		}
	}
	fmt.Fprintf(b, "%d parameters, %d values\n", len(params), values)
	return b.String()
}
