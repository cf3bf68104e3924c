// Package convert turns checkpoints of other toolkits into those of package tsn
// and back: the same numbers under other names.
//
// A residual network is the same computation in all of them; what differs are the
// names of its tensors, the order of the classifier's axes, and the projection
// with which a PP-TSN of 18 or 34 layers begins and others do not. What the names
// do not say stays with the reader: where a bottleneck has its stride, which
// epsilon its batch norms add, and how pictures are normalised (docs/converting.md).
//
// Sources: torchvision/models/resnet.py; timm/models/resnet.py (resnet50d);
// mmaction/models/backbones/resnet.py and heads/tsn_head.py of mmaction2;
// mmpretrain/models/backbones/resnet.py (ResNetV1d); ppcls/arch/backbone/legendary_models/resnet.py
// of PaddleClas; paddlevideo/modeling/backbones/resnet_tweaks_tsn.py.
package convert
