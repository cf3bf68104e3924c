"""PyTorch's side of BenchmarkTrainStep: PP-TSN as a user of PyTorch writes it.

Arguments: a JSON file with the run (see trainRun in ../train_test.go). Weights
and batch are raw float32 files. After it has set up, and then for each line on
standard input, it writes one line of JSON: a step was done, its loss, the
seconds it took, the process's resident bytes.

With a world above 1 it is one rank of DistributedDataParallel over Gloo, and the
loss is that of its own clips. With a dump it writes all parameters to that file
at the end, as they stood in the file that it read.
"""
import json
import os
import sys
import time

import numpy
import torch
from torch import distributed
from torch import nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel


class ConvBN(nn.Module):
    def __init__(self, cin, cout, kernel, stride=1, relu=True):
        super().__init__()
        self._conv = nn.Conv2d(cin, cout, kernel, stride, (kernel - 1) // 2, bias=False)
        self._batch_norm = nn.BatchNorm2d(cout, eps=1e-5, momentum=0.1)
        self.relu = nn.ReLU(inplace=True) if relu else nn.Identity()

    def forward(self, x):
        return self.relu(self._batch_norm(self._conv(x)))


class Short(ConvBN):
    def __init__(self, cin, cout, stride):
        super().__init__(cin, cout, 1, relu=False)
        self.pool = nn.AvgPool2d(2, 2, ceil_mode=True) if stride > 1 else nn.Identity()

    def forward(self, x):
        return super().forward(self.pool(x))


class Bottleneck(nn.Module):
    def __init__(self, cin, width, stride, first):
        super().__init__()
        self.conv0 = ConvBN(cin, width, 1)
        self.conv1 = ConvBN(width, width, 3, stride)
        self.conv2 = ConvBN(width, 4 * width, 1, relu=False)
        self.short = Short(cin, 4 * width, stride) if first else None
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        y = self.conv2(self.conv1(self.conv0(x)))
        y += x if self.short is None else self.short(x)
        return self.relu(y)


class Backbone(nn.Sequential):
    def __init__(self):
        super().__init__()
        self.conv1_1 = ConvBN(3, 32, 3, 2)
        self.conv1_2 = ConvBN(32, 32, 3)
        self.conv1_3 = ConvBN(32, 64, 3)
        self.pool = nn.MaxPool2d(3, 2, 1)
        cin = 64
        for stage, blocks in enumerate([3, 4, 6, 3]):
            for i in range(blocks):
                block = Bottleneck(cin, 64 << stage, 2 if i == 0 and stage > 0 else 1, i == 0)
                self.add_module(f"bb_{stage}_{i}", block)
                cin = 256 << stage


class Head(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(2048, classes)

    def forward(self, x, clips):
        x = self.pool(x).reshape(clips, -1, 2048)
        return self.fc(x.mean(1))


class PPTSN(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.backbone = Backbone()
        self.head = Head(classes)

    def forward(self, views, clips):
        return self.head(self.backbone(views), clips)


def torch_name(name):
    return name.replace("._mean", ".running_mean").replace("._variance", ".running_var")


def dump(net, run):
    state = net.state_dict()
    with open(run["dump"], "wb") as f:
        for p in run["params"]:
            value = state[torch_name(p["name"])]
            value = value.t() if p["name"] == "head.fc.weight" else value
            f.write(value.float().contiguous().numpy().tobytes())


def load(net, run):
    raw = numpy.fromfile(run["weights"], dtype="<f4")
    state, at = {}, 0
    for p in run["params"]:
        count = int(numpy.prod(p["shape"]))
        value = torch.from_numpy(raw[at:at + count].reshape(p["shape"]).copy())
        at += count
        state[torch_name(p["name"])] = value.t() if p["name"] == "head.fc.weight" else value
    missing, unexpected = net.load_state_dict(state, strict=False)
    assert not unexpected and all(m.endswith("num_batches_tracked") for m in missing), (missing, unexpected)


def groups(net, run):
    """One group for each factor on the rate and weight decay."""
    by_rule, params = {}, dict(net.named_parameters())
    for p in run["params"]:
        if p["trainable"]:
            by_rule.setdefault((p["lr_mult"], p["decay"]), []).append(params[p["name"]])
    return [{"params": v, "lr": run["lr"] * mult, "weight_decay": decay} for (mult, decay), v in by_rule.items()]


def resident(key):
    with open("/proc/self/status") as f:
        for line in f:
            if line.startswith(key):
                return int(line.split()[1]) * 1024
    return 0


def main():
    with open(sys.argv[1]) as f:
        run = json.load(f)
    torch.set_num_threads(run["threads"])
    layout = torch.contiguous_format if run["contiguous"] else torch.channels_last
    net = PPTSN(run["classes"])
    load(net, run)
    number = torch.float64 if run["double"] else torch.float32
    net = net.to(dtype=number, memory_format=layout)
    net.train()
    optimizer = torch.optim.SGD(groups(net, run), lr=run["lr"], momentum=run["momentum"], nesterov=True)
    model = net
    if run["world"] > 1:
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(run["port"]))
        distributed.init_process_group("gloo", rank=run["rank"], world_size=run["world"])
        model = DistributedDataParallel(net)
    batch = torch.from_numpy(numpy.fromfile(run["batch"], dtype="<f4").reshape(run["shape"])).to(number)
    labels = torch.tensor(run["labels"])
    clips = len(run["labels"])

    def step():
        optimizer.zero_grad(set_to_none=True)
        views = batch.flatten(0, 1).contiguous(memory_format=layout)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=run["bf16"]):
            scores = model(views, clips)
            loss = F.cross_entropy(scores, labels, label_smoothing=run["smoothing"])
        loss.backward()
        optimizer.step()
        return loss.item()

    def tell(loss, seconds):
        print(json.dumps({"loss": loss, "seconds": seconds, "resident": resident("VmRSS"), "peak": resident("VmHWM")}), flush=True)

    tell(0, 0)
    for _ in sys.stdin:
        start = time.perf_counter()
        loss = step()
        tell(loss, time.perf_counter() - start)
    if run["dump"]:
        dump(net, run)


if __name__ == "__main__":
    main()
