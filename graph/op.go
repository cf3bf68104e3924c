package graph

import (
	"fmt"

	"github.com/pptsn/pptsn/tensor"
)

// An Op is an operation: one of the types of this file. It says what it is,
// not on what; the operands are the node's.
type Op interface {
	// Kind is the operation's name as printed.
	Kind() string
	// infer returns the result's shape for operands of these shapes.
	infer(in [][]int) ([]int, error)
}

// Conv is a 2-D convolution (cross-correlation), then the optional additions,
// then the activation: act(conv(x, w) + bias + residual).
// Operands: x [N,C,H,W], w [O,C/Groups,KH,KW], bias [O] if Bias,
// residual [N,O,H',W'] if Residual.
type Conv struct {
	Stride   [2]int // down, right
	Dilation [2]int // 1 is dense
	Pad      Pad
	Groups   int
	Bias     bool
	Residual bool
	Act      Activation
}

// Pad is zero padding in pixels.
type Pad struct{ Top, Left, Bottom, Right int }

// SamePad pads p pixels on each side.
func SamePad(p int) Pad { return Pad{p, p, p, p} }

// BatchNorm normalises each channel:
// (x - mean) / sqrt(variance + Epsilon) * scale + offset.
// Operands: x [N,C,...], scale, offset, mean and variance [C].
type BatchNorm struct {
	Epsilon float32
}

// Activate applies an activation to each element.
type Activate struct {
	Act Activation
}

// Pool takes the maximum or mean of each window.
// Operand: x [N,C,H,W].
type Pool struct {
	Max          bool // else mean
	Kernel       [2]int
	Stride       [2]int
	Pad          Pad
	Ceil         bool // windows may hang over the lower right edge
	CountPadding bool // the mean divides by the whole window, padding included
}

// A BinaryKind is an arithmetic operation on two operands.
type BinaryKind uint8

// The arithmetic operations.
const (
	Add BinaryKind = iota
	Sub
	Mul
	Div
)

// Binary computes act(a op b) element by element with numpy's broadcasting.
type Binary struct {
	Op  BinaryKind
	Act Activation
}

// Affine computes x*Scale + Shift.
type Affine struct {
	Scale, Shift float32
}

// Linear multiplies the last axis: x w + bias.
// Operands: x [..., I], w [I, O], or [O, I] if Transposed, bias [O] if Bias.
type Linear struct {
	Transposed bool
	Bias       bool
}

// Mean averages over Axes (counted from 0).
type Mean struct {
	Axes []int
	Keep bool // averaged axes stay, with length 1
}

// Reshape gives the elements another shape: 0 keeps the operand's dimension at
// that place, -1 (once) takes what is left.
type Reshape struct {
	Shape []int
}

// Transpose reorders the axes: axis i of the result is axis Perm[i] of x.
type Transpose struct {
	Perm []int
}

// Concat joins its operands along Axis.
type Concat struct {
	Axis int
}

// Slice keeps elements Starts[i] to Ends[i], exclusive, of axis Axes[i].
// Negative positions count from the end; positions outside are clamped.
type Slice struct {
	Axes, Starts, Ends []int
}

// Softmax is exp(x) / sum(exp(x)) along Axis.
type Softmax struct {
	Axis int
}

// Dropout is the identity in inference; training drops elements with
// probability P and divides the rest by 1-P.
type Dropout struct {
	P float32
}

// TemporalShift moves channels between neighbouring segments (Lin et al.,
// "TSM", ICCV 2019): of x [N*Segments,C,H,W] the first C*Ratio channels come
// from the segment before, the next C*Ratio from the one after, zeros beyond
// the ends.
type TemporalShift struct {
	Segments int
	Ratio    float32
}

// FakeQuant rounds each element to what an integer of Type can stand for:
// Scale * clamp(roundToEven(x / Scale), least, most). Scales holds one number,
// or one for each position of the first axis.
type FakeQuant struct {
	Type   tensor.Type // Int8, Uint8 or Int32
	Scales []float32
}

// Kind implements Op.
func (Conv) Kind() string { return "conv" }

// Kind implements Op.
func (BatchNorm) Kind() string { return "batch_norm" }

// Kind implements Op.
func (a Activate) Kind() string { return a.Act.String() }

// Kind implements Op.
func (p Pool) Kind() string {
	if p.Max {
		return "max_pool"
	}
	return "avg_pool"
}

// Kind implements Op.
func (b Binary) Kind() string { return b.Op.String() }

// Kind implements Op.
func (Affine) Kind() string { return "affine" }

// Kind implements Op.
func (Linear) Kind() string { return "linear" }

// Kind implements Op.
func (Mean) Kind() string { return "mean" }

// Kind implements Op.
func (Reshape) Kind() string { return "reshape" }

// Kind implements Op.
func (Transpose) Kind() string { return "transpose" }

// Kind implements Op.
func (Concat) Kind() string { return "concat" }

// Kind implements Op.
func (Slice) Kind() string { return "slice" }

// Kind implements Op.
func (Softmax) Kind() string { return "softmax" }

// Kind implements Op.
func (Dropout) Kind() string { return "dropout" }

// Kind implements Op.
func (TemporalShift) Kind() string { return "temporal_shift" }

// Kind implements Op.
func (FakeQuant) Kind() string { return "fake_quant" }

// String is "add", "sub", "mul" or "div".
func (k BinaryKind) String() string {
	return [...]string{Add: "add", Sub: "sub", Mul: "mul", Div: "div"}[k]
}

// An Activation is a function of one number; the zero value is the identity.
type Activation struct {
	Func ActFunc
	// Slope and Offset of HardSigmoid: clamp(Slope*x + Offset, 0, 1);
	// unused by the others.
	Slope, Offset float32
}

// An ActFunc names an activation.
type ActFunc uint8

// The activations.
const (
	Identity    ActFunc = iota
	ReLU                // max(x, 0)
	ReLU6               // min(max(x, 0), 6)
	HardSwish           // x * min(max(x+3, 0), 6) / 6
	HardSigmoid         // clamp(Slope*x + Offset, 0, 1)
	Sigmoid             // 1 / (1 + exp(-x))
)

// String is the activation's name, such as "relu".
func (a Activation) String() string {
	names := [...]string{Identity: "identity", ReLU: "relu", ReLU6: "relu6",
		HardSwish: "hard_swish", HardSigmoid: "hard_sigmoid", Sigmoid: "sigmoid"}
	if a.Func == HardSigmoid {
		return fmt.Sprintf("%s(%g,%g)", names[a.Func], a.Slope, a.Offset)
	}
	return names[a.Func]
}
