// Package tsn builds Temporal Segment Networks as graphs: PP-TSN and TSN.
//
// A network sees T views of a video at once, each through the same 2-D
// convolutional backbone; the head averages the T feature vectors (segment
// consensus) and classifies the mean. Letters: N videos, T views a video, H
// and W pixels, C feature channels, K classes.
//
// Sources: Wang et al., "Temporal Segment Networks" (ECCV 2016); He et al.,
// "Bag of Tricks for Image Classification" (CVPR 2019) for the ResNet-D
// tweaks; parameter names after PaddleVideo's resnet_tweaks_tsn.py,
// resnet.py, pptsn_head.py and tsn_head.py.
package tsn

import (
	"fmt"
	"slices"
)

// A Family tells the two networks apart.
type Family string

// The families.
const (
	PPTSN Family = "pptsn" // ResNet-vd backbone (ResNetTweaksTSN), ppTSNHead
	TSN   Family = "tsn"   // plain ResNet backbone, TSNHead
)

// A Spec says which network to build.
type Spec struct {
	Family  Family  `json:"family"`
	Layers  int     `json:"layers"`  // depth of the backbone, one of Family.Depths()
	Classes int     `json:"classes"` // K > 0
	Dropout float32 `json:"dropout"` // share of features dropped before the classifier in training, in [0, 1)
}

// Depths lists the backbones a family has. The reference's constructor fails for
// TSN of 18 and 34 layers; here they are torchvision's resnet18 and resnet34.
func (f Family) Depths() []int {
	if f == PPTSN {
		return []int{18, 34, 50, 101, 152, 200}
	}
	return []int{18, 34, 50, 101, 152}
}

// Validate reports what keeps the network from being built.
func (s Spec) Validate() error {
	if s.Family != PPTSN && s.Family != TSN {
		return fmt.Errorf("tsn: family %q: want %q or %q", s.Family, PPTSN, TSN)
	}
	if !slices.Contains(s.Family.Depths(), s.Layers) {
		return fmt.Errorf("tsn: %s has no backbone of %d layers: want one of %v", s.Family, s.Layers, s.Family.Depths())
	}
	if s.Classes <= 0 {
		return fmt.Errorf("tsn: %d classes: want at least 1", s.Classes)
	}
	if s.Dropout < 0 || s.Dropout >= 1 {
		return fmt.Errorf("tsn: dropout %v: want a share in [0, 1)", s.Dropout)
	}
	return nil
}

// FeatureChannels is C, the length of the feature vector that the head sees.
func (s Spec) FeatureChannels() int {
	if s.Layers >= 50 {
		return 2048
	}
	return 512
}
