"""Residual networks with the module names of other toolkits, after the facts of
their sources (see ../doc.go), written with torch alone.

  nets.py names                          a line of JSON for each layout and depth:
                                         the names and shapes of its state dict
  nets.py save LAYOUT DEPTH FORM FILE    random weights and running statistics, saved;
                                         prints the scores of input() in float64
  nets.py check LAYOUT DEPTH FILE OURS   loads OURS into the network strictly, and
                                         compares it with FILE bit for bit

FORM: zip, legacy, mmaction (zip, under state_dict beside meta), parallel (legacy,
names of DataParallel), half (zip, float16).
"""
import json
import sys
from collections import OrderedDict

import torch
from torch import nn
from torch.nn import functional as F

BLOCKS = {18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3], 101: [3, 4, 23, 3], 152: [3, 8, 36, 3]}
VIEWS, SIDE, CLASSES = 2, 40, 7  # 40: 5 pixels are halved to 3 in the third stage
torch.set_num_threads(1)


def conv(cin, cout, k, stride=1):
    return nn.Conv2d(cin, cout, k, stride, k // 2, bias=False)


class ConvModule(nn.Module):
    """conv and bn under one name, as in mmcv."""

    def __init__(self, cin, cout, k, stride=1, act=True):
        super().__init__()
        self.conv, self.bn, self.act = conv(cin, cout, k, stride), nn.BatchNorm2d(cout), act

    def forward(self, x):
        x = self.bn(self.conv(x))
        return F.relu(x) if self.act else x


class Block(nn.Module):
    """A basic block or a bottleneck with its stride in the 3x3."""

    def __init__(self, layout, cin, width, stride, bottleneck):
        super().__init__()
        out = 4 * width if bottleneck else width
        shapes = [(cin, width, 1, 1), (width, width, 3, stride), (width, out, 1, 1)] if bottleneck else \
            [(cin, width, 3, stride), (width, width, 3, 1)]
        self.n, self.wrapped = len(shapes), layout == "mmaction2"
        for i, (a, b, k, s) in enumerate(shapes, 1):
            if self.wrapped:
                self.add_module(f"conv{i}", ConvModule(a, b, k, s, act=i < self.n))
            else:
                self.add_module(f"conv{i}", conv(a, b, k, s))
                self.add_module(f"bn{i}", nn.BatchNorm2d(b))
        self.downsample = self.projection(layout, cin, out, stride) if stride != 1 or cin != out else None

    @staticmethod
    def projection(layout, cin, out, stride):
        if layout == "mmaction2":
            return ConvModule(cin, out, 1, stride, act=False)
        if layout == "torchvision":
            return nn.Sequential(conv(cin, out, 1, stride), nn.BatchNorm2d(out))
        pool = nn.AvgPool2d(2, stride, ceil_mode=True, count_include_pad=False) if stride != 1 else nn.Identity()
        rest = [conv(cin, out, 1), nn.BatchNorm2d(out)]
        if layout == "mmpretrain" and stride == 1:
            return nn.Sequential(*rest)
        return nn.Sequential(pool, *rest)

    def forward(self, x):
        y = x
        for i in range(1, self.n + 1):
            y = getattr(self, f"conv{i}")(y)
            if not self.wrapped:
                y = getattr(self, f"bn{i}")(y)
            if i < self.n:
                y = F.relu(y)
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class Features(nn.Module):
    def __init__(self, layout, depth):
        super().__init__()
        self.layout = layout
        if layout == "torchvision":
            self.conv1, self.bn1 = conv(3, 64, 7, 2), nn.BatchNorm2d(64)
        elif layout == "mmaction2":
            self.conv1 = ConvModule(3, 64, 7, 2)
        elif layout == "timm":
            self.conv1 = nn.Sequential(conv(3, 32, 3, 2), nn.BatchNorm2d(32), nn.ReLU(), conv(32, 32, 3), nn.BatchNorm2d(32), nn.ReLU(),
                                       conv(32, 64, 3))
            self.bn1 = nn.BatchNorm2d(64)
        else:
            self.stem = nn.Sequential(ConvModule(3, 32, 3, 2), ConvModule(32, 32, 3), ConvModule(32, 64, 3))
        cin = 64
        for s, blocks in enumerate(BLOCKS[depth]):
            stage = []
            for i in range(blocks):
                stage.append(Block(layout, cin, 64 << s, 2 if i == 0 and s > 0 else 1, depth >= 50))
                cin = (256 if depth >= 50 else 64) << s
            self.add_module(f"layer{s + 1}", nn.Sequential(*stage))
        self.channels = cin

    def forward(self, x):
        if self.layout == "mmpretrain":
            x = self.stem(x)
        else:
            x = self.conv1(x)
            if self.layout != "mmaction2":
                x = F.relu(self.bn1(x))
        x = F.max_pool2d(x, 3, 2, 1)
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))


class Image(Features):
    """torchvision's and timm's: features and fc under one roof."""

    def __init__(self, layout, depth):
        super().__init__(layout, depth)
        self.fc = nn.Linear(self.channels, CLASSES)

    def forward(self, x):
        return self.fc(super().forward(x).mean((2, 3)).mean(0, keepdim=True))


class Head(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.fc_cls = nn.Linear(channels, CLASSES)


class Recognizer(nn.Module):
    """mmaction2's: backbone and cls_head."""

    def __init__(self, layout, depth):
        super().__init__()
        self.backbone = Features(layout, depth)
        self.cls_head = Head(self.backbone.channels)

    def forward(self, x):
        return self.cls_head.fc_cls(self.backbone(x).mean((2, 3)).mean(0, keepdim=True))


def build(layout, depth):
    return (Image if layout in ("torchvision", "timm") else Recognizer)(layout, depth).eval()


def names():
    nn.Conv2d.reset_parameters = lambda self: None  # no one looks at the weights
    for layout in ("torchvision", "timm", "mmaction2", "mmpretrain"):
        for depth in BLOCKS:
            state = build(layout, depth).state_dict()
            print(json.dumps({"layout": layout, "depth": depth, "shapes": {k: list(v.shape) for k, v in state.items()}}))


def input():
    """As Go makes it: a formula, exact in float32."""
    n = VIEWS * 3 * SIDE * SIDE
    return ((torch.arange(n) * 7919 % 1021).double() / 512 - 1).reshape(VIEWS, 3, SIDE, SIDE)


def randomise(net):
    for m in net.modules():
        if isinstance(m, nn.BatchNorm2d):
            nn.init.uniform_(m.weight, 0.5, 1.5)
            nn.init.normal_(m.bias, 0, 0.1)
            nn.init.normal_(m.running_mean, 0, 0.1)
            nn.init.uniform_(m.running_var, 0.5, 1.5)
            m.num_batches_tracked += 5


def save(layout, depth, form, path):
    torch.manual_seed(depth)
    net = build(layout, int(depth))
    randomise(net)
    if form == "half":
        net = net.half().float()
    state = net.state_dict()
    if form == "half":
        torch.save({k: v.half() if v.is_floating_point() else v for k, v in state.items()}, path)
    elif form == "parallel":
        torch.save(OrderedDict(("module." + k, v) for k, v in state.items()), path, _use_new_zipfile_serialization=False)
    elif form == "mmaction":
        torch.save({"meta": {"epoch": 100, "mmaction_version": "0.6.0"}, "state_dict": state}, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=form == "zip")
    with torch.no_grad():
        print(json.dumps(net.double()(input()).flatten().tolist()))


def check(layout, depth, path, ours):
    theirs, written = torch.load(path), torch.load(ours)
    theirs = theirs.get("state_dict", theirs)
    build(layout, int(depth)).load_state_dict(written, strict=True)
    torch.load(ours, weights_only=True)
    for k, v in theirs.items():
        k = k.replace("module.", "", 1)
        if k.endswith("num_batches_tracked"):
            continue
        v = v.float() if v.dtype == torch.half else v
        assert written[k].dtype == v.dtype and torch.equal(written[k], v), k
    assert len(written) == sum(not k.endswith("num_batches_tracked") for k in theirs)


{"names": names, "save": save, "check": check}[sys.argv[1]](*sys.argv[2:])
