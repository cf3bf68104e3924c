package tsn

import (
	"fmt"

	"github.com/pptsn/pptsn/graph"
)

// bnEpsilon is what the reference's batch norms add to the variance.
const bnEpsilon = 1e-5

// A Network is a graph and the table of its parameters.
//
// Its input is [N, T, 3, H, W], its output the class scores [N, K] before the
// softmax; N is unknown until the graph is bound.
type Network struct {
	Spec   Spec
	Graph  *graph.Graph
	Params []Param // in the order of the reference's state dict
}

// Build returns the network for clips of that many views, each height x width
// pixels. The views of all segments and crops count: 25 segments under TenCrop
// are 250.
func Build(s Spec, views, height, width int) (*Network, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if views <= 0 || height <= 0 || width <= 0 {
		return nil, fmt.Errorf("tsn: %d views of %dx%d pixels", views, width, height)
	}
	b := &builder{spec: s, g: graph.New(fmt.Sprintf("%s%d", s.Family, s.Layers))}
	x := b.g.Input("data_batch_0", graph.Unknown, views, 3, height, width)
	x = b.g.Must("views", graph.Reshape{Shape: []int{-1, 3, height, width}}, x) // [N*T, 3, H, W]
	x = b.backbone(x)                                                           // [N*T, C, h, w]
	x = b.head(x, views)                                                        // [N, K]
	b.g.Output(x)
	return &Network{Spec: s, Graph: b.g, Params: b.params}, nil
}

type builder struct {
	spec   Spec
	g      *graph.Graph
	params []Param
	norms  int // batch norms made so far, for Paddle's numbered names
}

// head pools each view, averages over the views and classifies.
func (b *builder) head(x *graph.Value, views int) *graph.Value {
	c := b.spec.FeatureChannels()
	x = b.g.Must("head.avgpool2d", graph.Mean{Axes: []int{2, 3}, Keep: true}, x)                        // [N*T, C, 1, 1]
	x = b.g.Must("head.segments", graph.Reshape{Shape: []int{-1, views, c}}, x)                         // [N, T, C]
	x = b.g.Must("head.consensus", graph.Mean{Axes: []int{1}}, x)                                       // [N, C]
	x = b.g.Must("head.dropout", graph.Dropout{P: b.spec.Dropout}, x)                                   // [N, C]
	w := b.param(Param{Name: "head.fc.weight", Paddle: "fc_0.w_0", Trainable: true}, c, b.spec.Classes) // [C, K]
	bias := b.param(Param{Name: "head.fc.bias", Paddle: "fc_0.b_0", Trainable: true}, b.spec.Classes)   // [K]
	return b.g.Must("scores", graph.Linear{Bias: true}, x, w, bias)
}

func (b *builder) param(p Param, shape ...int) *graph.Value {
	p.Shape = shape
	b.setRules(&p)
	b.params = append(b.params, p)
	return b.g.Param(p.Name, shape...)
}

// convBN is convolution, batch norm and, if relu, an activation. Its
// parameters are called path._conv and path._batch_norm, Paddle's variables
// after layer.
func (b *builder) convBN(x *graph.Value, path, layer string, out, kernel, stride int, relu bool) *graph.Value {
	in := x.Shape[1]
	w := b.param(Param{Name: path + "._conv.weight", Paddle: layer + "_weights", Trainable: true}, out, in, kernel, kernel)
	x = b.g.Must(path+"._conv", graph.Conv{
		Stride: [2]int{stride, stride}, Dilation: [2]int{1, 1}, Pad: graph.SamePad((kernel - 1) / 2), Groups: 1,
	}, x, w)
	bn := path + "._batch_norm"
	names := b.normNames(layer)
	stats := []*graph.Value{x}
	for i, suffix := range []string{".weight", ".bias", "._mean", "._variance"} {
		p := Param{Name: bn + suffix, Paddle: names[i], Trainable: i < 2}
		stats = append(stats, b.param(p, out))
	}
	x = b.g.Must(bn, graph.BatchNorm{Epsilon: bnEpsilon}, stats...)
	if relu {
		x = b.g.Must(path+".relu", graph.Activate{Act: graph.Activation{Func: graph.ReLU}}, x)
	}
	return x
}

// normNames are Paddle's variables of a batch norm behind a layer: scale,
// offset, mean, variance. PP-TSN names them all; TSN's running statistics have
// the numbered names that Paddle gives by itself.
func (b *builder) normNames(layer string) [4]string {
	n := "bn" + layer[3:] // res2a_branch2a -> bn2a_branch2a, conv1_1 -> bnv1_1
	if layer == "conv1" {
		n = "bn_conv1"
	}
	mean, variance := n+"_mean", n+"_variance"
	if b.spec.Family == TSN {
		mean, variance = fmt.Sprintf("batch_norm2d_%d.w_0", b.norms), fmt.Sprintf("batch_norm2d_%d.w_1", b.norms)
	}
	b.norms++
	return [4]string{n + "_scale", n + "_offset", mean, variance}
}
