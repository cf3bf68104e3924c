package distill

import (
	"math"

	"github.com/pptsn/pptsn/torch"
)

// Loss is the sum of the terms, each the mean over the clips, recorded for
// Scope.Backward where the scores are. scores are [n, K], before the softmax,
// under the names that the terms have for them; targets [n, K] the wanted
// distributions without smoothing, those of mixed clips weighted. All are of one
// floating type, in which the loss is computed. The terms are valid, and there
// is at least one. Of no clips the loss is 0.
func Loss(s *torch.Scope, terms []Term, scores map[string]torch.Tensor, targets torch.Tensor) torch.Tensor {
	shape := s.Shape(targets)
	if s.Err() != nil {
		return torch.Tensor{}
	}
	b := batch{Scope: s, n: float64(max(shape[0], 1)), classes: float64(shape[1]), targets: targets}
	var sum torch.Tensor
	for i, t := range terms {
		l := b.scaled(b.term(t, scores), t.Weight)
		if i > 0 {
			l = b.Call("aten::add.Tensor", sum, l, 1)
		}
		sum = l
	}
	return sum
}

// A batch is what all terms are computed from.
type batch struct {
	*torch.Scope
	n, classes float64
	targets    torch.Tensor
}

func (b batch) term(t Term, scores map[string]torch.Tensor) torch.Tensor {
	of := scores[t.Of]
	switch t.Kind {
	case DML:
		return b.divergence(t, of, scores[t.To])
	case KD:
		soft := b.scaled(b.softened(of, scores[t.To], t.Temperature), t.Alpha*t.Temperature*t.Temperature)
		hard := b.scaled(b.crossEntropy(of, t.Smoothing), 1-t.Alpha)
		return b.Call("aten::add.Tensor", soft, hard, 1)
	}
	return b.crossEntropy(of, t.Smoothing)
}

// crossEntropy is -sum(target log softmax(x)) / n, with targets of which
// smoothing is spread over all classes.
func (b batch) crossEntropy(x torch.Tensor, smoothing float64) torch.Tensor {
	targets := b.targets
	if smoothing > 0 {
		targets = b.Call("aten::add.Scalar", b.scaled(targets, 1-smoothing), smoothing/b.classes, 1)
	}
	logp := b.Call("aten::log_softmax.int", x, 1, nil)
	sum := b.Call("aten::sum", b.Call("aten::mul.Tensor", logp, targets), nil)
	return b.Call("aten::mul.Scalar", sum, -1/b.n)
}

// divergence is the reference's DistillationDMLLoss: the mean over n K numbers
// of half of both divergences times K.
func (b batch) divergence(t Term, x, y torch.Tensor) torch.Tensor {
	p, logp := b.act(t, x)
	q, logq := b.act(t, y)
	far := b.Call("aten::mul.Tensor", b.Call("aten::sub.Tensor", q, p, 1), b.Call("aten::sub.Tensor", logq, logp, 1))
	return b.Call("aten::mul.Scalar", b.Call("aten::sum", far, nil), b.classes/2/(b.n*b.classes))
}

// act makes p [n, K] of scores, and log(p + epsilon). Both of softmax and sigmoid
// come from the scores: where p is 0 in floating point, neither its logarithm nor
// the gradient may be infinite, however small epsilon is.
func (b batch) act(t Term, x torch.Tensor) (p, logp torch.Tensor) {
	switch t.Act {
	case Softmax:
		p, logp = b.Call("aten::softmax.int", x, 1, nil), b.Call("aten::log_softmax.int", x, 1, nil)
	case Sigmoid:
		p, logp = b.Call("aten::sigmoid", x), b.Call("aten::log_sigmoid", x)
	default:
		return x, b.Call("aten::log", b.Call("aten::add.Scalar", x, t.Epsilon, 1))
	}
	epsilon := b.Call("aten::full_like", p, math.Log(t.Epsilon), nil, nil, nil, nil, nil)
	return p, b.Call("aten::logaddexp", logp, epsilon)
}

// softened is KL(softmax(teacher/T) || softmax(x/T)), whose gradient does not
// reach the teacher.
func (b batch) softened(x, teacher torch.Tensor, temperature float64) torch.Tensor {
	logq := b.Call("aten::log_softmax.int", b.scaled(x, 1/temperature), 1, nil)
	teacher = b.scaled(b.Call("aten::detach", teacher), 1/temperature)
	p, logp := b.Call("aten::softmax.int", teacher, 1, nil), b.Call("aten::log_softmax.int", teacher, 1, nil)
	sum := b.Call("aten::sum", b.Call("aten::mul.Tensor", p, b.Call("aten::sub.Tensor", logp, logq, 1)), nil)
	return b.Call("aten::mul.Scalar", sum, 1/b.n)
}

func (b batch) scaled(x torch.Tensor, factor float64) torch.Tensor {
	if factor == 1 {
		return x
	}
	return b.Call("aten::mul.Scalar", x, factor)
}
