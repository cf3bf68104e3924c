package onednn

// #include "shim.h"
import "C"

import (
	"fmt"

	"github.com/pptsn/pptsn/graph"
)

func uses(isa C.dnnl_cpu_isa_t) bool { return C.nn_uses(isa) != 0 }

// vectorsOf16 reports whether kernels use vectors of 16 floats (AVX-512).
func vectorsOf16() bool { return uses(C.dnnl_cpu_isa_avx512_core) }

// Supports reports why this processor is no good for a precision; nil if it is.
func Supports(p graph.Precision) error {
	switch {
	case p == graph.FP32,
		p == graph.BF16 && uses(C.dnnl_cpu_isa_avx512_core_bf16),
		p == graph.INT8 && (uses(C.dnnl_cpu_isa_avx512_core_vnni) || uses(C.dnnl_cpu_isa_avx2_vnni)):
		return nil
	case p == graph.BF16:
		return fmt.Errorf("bf16 on this processor would be slower than fp32: it has no instructions for it (AVX512_BF16 or AMX)")
	case p == graph.INT8:
		return fmt.Errorf("int8 on this processor would be slow, and sums of products may overflow: it has no instructions for it (AVX512_VNNI or AVX_VNNI)")
	}
	return fmt.Errorf("oneDNN does not compute in %s here: want fp32, bf16 or int8", p)
}
