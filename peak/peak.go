// Package peak measures how fast the processor's cores can multiply and add:
// loops that do nothing else, on registers alone. No network can be computed
// faster with the same instruction, so its speed is best read as a share of this.
package peak

/*
#cgo CFLAGS: -O2
#include "kernels.h"
*/
import "C"

import (
	"sync"
	"time"
)

// An Instruction multiplies numbers and adds up the products.
type Instruction struct {
	Name string // as assemblers call it, and the registers: "vfmadd231ps zmm"
	c    C.peak_instruction
}

// FP32 is the widest instruction that this processor has for float32. It is
// known for x86-64 with AVX2 or AVX-512.
func FP32() (i Instruction, known bool) { return instruction(C.peak_fp32()) }

// BF16 is the same for bfloat16 with sums in float32: AVX-512's. It is not known
// of processors with AMX, which this package cannot measure.
func BF16() (i Instruction, known bool) { return instruction(C.peak_bf16()) }

// INT8 is the same for 8-bit integers with sums of 32 bits: AVX-512's or AVX's
// VNNI. It is not known of processors with AMX.
func INT8() (i Instruction, known bool) { return instruction(C.peak_int8()) }

func instruction(c C.peak_instruction) (Instruction, bool) {
	if c.name == nil {
		return Instruction{}, false
	}
	return Instruction{C.GoString(c.name), c}, true
}

// Speed measures for about that time, on so many threads at once, how many
// operations a second they do together. A multiplication and an addition count
// as two. Above one thread for each core there is nothing to gain.
func (i Instruction) Speed(threads int, d time.Duration) float64 {
	speeds := make([]float64, threads)
	var wg sync.WaitGroup
	for t := range speeds {
		wg.Go(func() { speeds[t] = float64(C.peak_speed(i.c, C.double(d.Seconds()))) })
	}
	wg.Wait()
	sum := 0.0
	for _, s := range speeds {
		sum += s
	}
	return sum
}
