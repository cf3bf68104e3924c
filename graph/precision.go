package graph

import "fmt"

// A Precision is the arithmetic in which an engine multiplies; sums are kept
// in 32 bits.
type Precision uint8

// The precisions. FP32 is the zero value.
const (
	FP32 Precision = iota // float32
	BF16                  // bfloat16: 8 bits of mantissa, the range of float32
	FP16                  // IEEE half: 11 bits of mantissa, up to 65504
	INT8                  // 8-bit integers with scales, see Scales
)

var precisionNames = [...]string{FP32: "fp32", BF16: "bf16", FP16: "fp16", INT8: "int8"}

// String is "fp32", "bf16", "fp16" or "int8".
func (p Precision) String() string { return precisionNames[p] }

// ParsePrecision reads what String wrote.
func ParsePrecision(s string) (Precision, error) {
	for p, name := range precisionNames {
		if s == name {
			return Precision(p), nil
		}
	}
	return 0, fmt.Errorf("precision %q: want fp32, bf16, fp16 or int8", s)
}
