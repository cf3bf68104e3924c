package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pptsn/pptsn/tsn"
)

// A Model is the section MODEL: the network, and how training treats its parts.
type Model struct {
	Key        string // of the section, for messages: MODEL, or as MODEL.models.1.Student
	Network    tsn.Spec
	Pretrained string // path or URL of weights for the backbone; "": random

	// LRFactors scale the learning rate of the stem and of stages 1 to 4:
	// convolutions and batch norms. All 1 unless lr_mult_list says else.
	LRFactors [5]float64
	Head      Head

	// Weights is a path or URL of weights for the whole network, "": none. Only
	// RecognizerDistillation has it, as pretrained of a model, a key of our own.
	Weights string

	// SyncBN (sync_bn, a key of our own) normalises with the statistics of all
	// processes that train together.
	SyncBN bool
}

// A Head is how training treats the classifier.
type Head struct {
	Std            float64 // deviation of the initial weights, drawn from a normal distribution around 0
	LabelSmoothing float64 // epsilon in [0, 1): the true class gets 1-epsilon+epsilon/K, the others epsilon/K

	// The learning rate of weight and bias is scaled by these: 5 and 10 for
	// ppTSNHead unless fclr5 is off, else 1.
	WeightLR, BiasLR float64

	// OwnDecay is ppTSNHead's rule: the weight decays by 1e-4 and the bias not
	// at all, whatever the optimiser's weight decay is. Otherwise both follow it.
	OwnDecay bool
}

// Model is the network that MODEL describes, of several the Student.
func (c *Config) Model() (Model, error) {
	if c.model == nil {
		return Model{}, c.missing("MODEL")
	}
	return *c.model, nil
}

// ClassesKey is the key of the number of classes, for messages.
func (m Model) ClassesKey() string { return m.Key + ".head.num_classes" }

// ClassesKey is that of Model, "" without MODEL.
func (c *Config) ClassesKey() string {
	if c.model == nil {
		return ""
	}
	return c.model.ClassesKey()
}

func (m *Model) defaultName() string {
	if m.Network.Family == tsn.TSN {
		return "TSN"
	}
	return "ppTSN"
}

// distilling is the framework of several models, one of which is the student.
const distilling = "RecognizerDistillation"

// The reference's names of what we build.
var (
	frameworks = []string{"Recognizer2D", distilling}
	backbones  = []string{"ResNetTweaksTSN", "ResNet"}
	heads      = []string{"ppTSNHead", "TSNHead"}
)

// foreignModel reports a file that belongs to another PaddleVideo model.
func (d *decoder) foreignModel() {
	before := len(d.errs)
	d.known(frameworks, "MODEL", "framework")
	for _, path := range d.networks() {
		d.known(backbones, append(path, "backbone", "name")...)
		d.known(heads, append(path, "head", "name")...)
	}
	if len(d.errs) > before {
		d.fail("MODEL", "not a model that is built here: those are PP-TSN (ResNetTweaksTSN with ppTSNHead) and TSN (ResNet with TSNHead)")
	}
}

// known reports a name that is none of the choices.
func (d *decoder) known(choices []string, path ...string) {
	if name := d.text(path...); name != "" && !slices.Contains(choices, name) {
		d.fail(strings.Join(path, "."), "%s", unsupported(name, choices))
	}
}

// networks are the paths of keys to the mappings that describe one.
func (d *decoder) networks() [][]string {
	if d.text("MODEL", "framework") != distilling {
		return [][]string{{"MODEL"}}
	}
	models := d.root.child("MODEL").child("models")
	if models == nil {
		return nil
	}
	var paths [][]string
	items, _ := models.data.(list)
	for i, item := range items {
		if named, ok := item.data.(*dict); ok {
			for _, name := range named.keys {
				paths = append(paths, []string{"MODEL", "models", strconv.Itoa(i), name})
			}
		}
	}
	return paths
}

func (d *decoder) models(s *section, c *Config) {
	switch {
	case s == nil:
	case s.oneOf("framework", "", frameworks...) == distilling:
		c.model, c.learnsFrom = s.distillation()
	default:
		c.model = s.model()
	}
}

func (s *section) model() *Model {
	m := &Model{Key: s.path, SyncBN: s.bool("sync_bn", false)}
	s.require("framework")
	s.only("runtime_cfg", "no network here reads it")
	m.parts(s)
	s.done()
	return m
}

// parts reads what a network is made of.
func (m *Model) parts(s *section) {
	s.require("backbone", "head")
	if backbone := s.section("backbone"); backbone != nil {
		m.backbone(backbone)
	}
	if head := s.section("head"); head != nil {
		m.head(head)
	}
}

func (m *Model) backbone(s *section) {
	s.require("name")
	m.LRFactors = [5]float64{1, 1, 1, 1, 1}
	depthKey := "layers"
	m.Network.Family = tsn.PPTSN
	if s.oneOf("name", "", backbones...) == "ResNet" {
		depthKey = "depth"
		m.Network.Family = tsn.TSN
		s.require(depthKey)
	} else if factors := s.floats("lr_mult_list"); factors != nil {
		s.check("lr_mult_list", len(factors) == 5, "5 numbers: stem and four stages")
		copy(m.LRFactors[:], factors)
		for _, f := range factors {
			s.check("lr_mult_list", f >= 0, "numbers of at least 0")
		}
	}
	m.Network.Layers = s.int(depthKey, 50)
	s.check(depthKey, slices.Contains(m.Network.Family.Depths(), m.Network.Layers), fmt.Sprintf("one of %v", m.Network.Family.Depths()))
	m.Pretrained = strings.TrimSpace(s.string("pretrained", "")) // the reference takes " " for none
	s.done()
}

func (m *Model) head(s *section) {
	s.require("name", "num_classes")
	m.Head = Head{WeightLR: 1, BiasLR: 1}
	if s.oneOf("name", "", heads...) == "ppTSNHead" {
		m.Head.OwnDecay = true
		if s.bool("fclr5", true) {
			m.Head.WeightLR, m.Head.BiasLR = 5, 10
		}
	}
	m.Network.Classes = s.intWithin("num_classes", 0, 1, 1_000_000)
	in, want := s.int("in_channels", m.Network.FeatureChannels()), m.Network.FeatureChannels()
	s.check("in_channels", in == want || !slices.Contains(m.Network.Family.Depths(), m.Network.Layers),
		fmt.Sprintf("%d, which a backbone of %d layers gives", want, m.Network.Layers))
	m.Network.Dropout = float32(s.share("drop_ratio", 0.4))
	m.Head.Std = s.float("std", 0.01)
	s.check("std", m.Head.Std >= 0, "a number of at least 0")
	m.Head.LabelSmoothing = s.share("ls_eps", 0)
	s.only("data_format", "tensors are NCHW at the head's door", "NCHW")
	if loss := s.section("loss_cfg"); loss != nil {
		loss.oneOf("name", "CrossEntropyLoss", "CrossEntropyLoss")
		loss.only("loss_weight", "a weight of the only loss is a learning rate", 1.0)
		loss.done()
	}
	s.done()
}
