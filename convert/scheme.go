package convert

import (
	"fmt"

	"github.com/pptsn/pptsn/tsn"
)

// A Layout is a toolkit's way to name the tensors of a network.
type Layout string

// The layouts. PaddleClas is read only.
const (
	PPTSN       Layout = "pptsn"       // the names of package tsn, PaddleVideo's
	Torchvision Layout = "torchvision" // a plain residual network: TSN
	Timm        Layout = "timm"        // ResNet-D: PP-TSN
	MMAction2   Layout = "mmaction2"   // its own ResNet, or mmpretrain's ResNetV1d
	PaddleClas  Layout = "paddleclas"  // both generations
)

// Layouts are those that can be written.
func Layouts() []Layout { return []Layout{PPTSN, Torchvision, Timm, MMAction2} }

// A scheme is how one layout names one family.
type scheme struct {
	layout   Layout
	family   tsn.Family
	prefixes []string // before the backbone's names; the first is written
	heads    []string // the classifier; the first is written
	torch    bool     // PyTorch's classifier and names of batch norms
	// name is the name of a unit's layers, "" for one that the layout does not
	// have. nil: those of package tsn.
	name func(u unit, s tsn.Spec) (conv, norm string)
}

// schemes is all that is known. Where two name tensors alike, the first is meant.
func schemes() []scheme {
	bare, backbone := []string{"", "backbone."}, []string{"backbone.", ""}
	fc, mm := []string{"fc", "cls_head.fc_cls", "head.fc"}, []string{"cls_head.fc_cls", "head.fc", "fc"}
	own, clas := []string{"head.fc"}, []string{"out", "fc"}
	return []scheme{
		{PPTSN, tsn.PPTSN, backbone[:1], own, false, nil},
		{PPTSN, tsn.TSN, backbone[:1], own, false, nil},
		{Torchvision, tsn.TSN, bare, fc, true, torchvision},
		{Timm, tsn.PPTSN, bare, fc, true, timm},
		{MMAction2, tsn.TSN, backbone, mm, true, mmaction},
		{MMAction2, tsn.PPTSN, backbone, mm, true, mmpretrain},
		{PaddleClas, tsn.PPTSN, bare[:1], clas, false, nil},
		{PaddleClas, tsn.TSN, bare[:1], clas, false, nil},
		{PaddleClas, tsn.PPTSN, bare[:1], clas, false, paddleclas},
		{PaddleClas, tsn.TSN, bare[:1], clas, false, paddleclas},
	}
}

// layer is a block's name in what comes from PyTorch.
func layer(u unit) string { return fmt.Sprintf("layer%d.%d.", u.stage+1, u.block) }

// torchvision names conv1, bn1, layer1.0.conv1, layer1.0.bn1, layer1.0.downsample.0.
func torchvision(u unit, _ tsn.Spec) (conv, norm string) {
	switch {
	case u.stage == stem:
		return "conv1", "bn1"
	case u.conv == short:
		return layer(u) + "downsample.0", layer(u) + "downsample.1"
	}
	return layer(u) + fmt.Sprintf("conv%d", u.conv+1), layer(u) + fmt.Sprintf("bn%d", u.conv+1)
}

// timm has three convolutions in its stem, conv1.0, conv1.3 and conv1.6, and
// behind an average in the projection, which is downsample.0.
func timm(u unit, s tsn.Spec) (conv, norm string) {
	switch {
	case u.stage == stem && u.block == 2:
		return "conv1.6", "bn1"
	case u.stage == stem:
		return fmt.Sprintf("conv1.%d", 3*u.block), fmt.Sprintf("conv1.%d", 3*u.block+1)
	case lacks(u, s):
		return "", ""
	case u.conv == short:
		return layer(u) + "downsample.1", layer(u) + "downsample.2"
	}
	return torchvision(u, s)
}

// lacks says whether a unit is there in PP-TSN alone: a projection of the first
// block, where it changes neither size nor channels.
func lacks(u unit, s tsn.Spec) bool {
	return s.Layers < 50 && u == unit{stage: 0, block: 0, conv: short}
}

// mmaction wraps a convolution and its batch norm: conv1.conv, conv1.bn.
func mmaction(u unit, _ tsn.Spec) (conv, norm string) {
	path := "conv1"
	switch {
	case u.stage == stem:
	case u.conv == short:
		path = layer(u) + "downsample"
	default:
		path = layer(u) + fmt.Sprintf("conv%d", u.conv+1)
	}
	return path + ".conv", path + ".bn"
}

// mmpretrain wraps the stem alone; its average in the projection is there where
// it has a stride.
func mmpretrain(u unit, s tsn.Spec) (conv, norm string) {
	switch {
	case u.stage == stem:
		path := fmt.Sprintf("stem.%d", u.block)
		return path + ".conv", path + ".bn"
	case u.conv == short && u.stage > 0:
		return timm(u, s)
	case lacks(u, s):
		return "", ""
	}
	return torchvision(u, s)
}

// paddleclas numbers the blocks of all stages: blocks.0.conv0.conv, blocks.0.short.bn.
func paddleclas(u unit, s tsn.Spec) (conv, norm string) {
	path := fmt.Sprintf("stem.%d", u.block)
	if u.stage != stem {
		n := u.block
		for stage, blocks := range s.Stages() {
			if stage < u.stage {
				n += blocks
			}
		}
		path = fmt.Sprintf("blocks.%d.conv%d", n, u.conv)
		if u.conv == short {
			path = fmt.Sprintf("blocks.%d.short", n)
		}
	}
	return path + ".conv", path + ".bn"
}
