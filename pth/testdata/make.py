"""Writes checkpoints with PyTorch for python_test.go.

Argument: a folder. For each file it prints a line of JSON: its name and, for
each tensor in the order of the state dict, name, dtype, shape, the SHA-256 of
its row-major bytes.
"""
import argparse
import hashlib
import json
import sys
import types
from collections import Counter, OrderedDict, defaultdict

import numpy
import torch

torch.manual_seed(7)


def raw(t):
    t = t.detach().contiguous()
    if t.dtype == torch.bfloat16:
        t = t.view(torch.int16)
    return t.numpy().tobytes()


def facts(state):
    return [[k, str(v.dtype).replace("torch.", ""), list(v.shape), hashlib.sha256(raw(v)).hexdigest()]
            for k, v in state.items() if isinstance(v, torch.Tensor)]


def kinds():
    base = torch.randn(4, 6)
    wide = torch.randn(1000)
    return OrderedDict(
        dense=base, transposed=base.t(), part=base[1:3, 2:5], step=wide[3:900:7], flat=wide[10:30].view(4, 5),
        scalar=torch.tensor(3), empty=torch.zeros(0, 3), one=torch.randn(1, 1, 5), permuted=torch.randn(2, 3, 4).permute(2, 0, 1),
        half=torch.randn(5).half(), bf16=torch.randn(5).bfloat16(), double=torch.randn(2, 2).double(),
        int64=torch.tensor([-1, 2**40]), int32=torch.tensor([-5], dtype=torch.int32), int16=torch.tensor([-5], dtype=torch.int16),
        int8=torch.tensor([-5], dtype=torch.int8), uint8=torch.tensor([250], dtype=torch.uint8), bool=torch.tensor([True, False]),
        c64=torch.randn(3, dtype=torch.complex64), c128=torch.randn(3, dtype=torch.complex128),
        param=torch.nn.Parameter(torch.randn(3, 3)), channels_last=torch.randn(1, 3, 4, 5).to(memory_format=torch.channels_last))


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 8, 3, bias=False)
        self.bn = torch.nn.BatchNorm2d(8)


class HistoryBuffer:
    """As mmaction2 1.x logs: its state names its own methods."""

    def __init__(self):
        self.log, self.methods = numpy.arange(3.0), {"mean": HistoryBuffer.mean}

    def mean(self):
        return self.log.mean()


HistoryBuffer.__module__ = "mmengine.logging.history_buffer"
for name in ("mmengine", "mmengine.logging", "mmengine.logging.history_buffer"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["mmengine.logging.history_buffer"].HistoryBuffer = HistoryBuffer


def files():
    net = Net()
    sgd = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    net.bn(net.conv(torch.randn(2, 3, 8, 8))).sum().backward()
    sgd.step()
    parallel = torch.nn.DataParallel(net)
    trained = dict(
        epoch=3, arch="resnet50", state_dict=net.state_dict(), optimizer=sgd.state_dict(), best_acc1=torch.tensor(75.0),
        args=argparse.Namespace(lr=0.1, milestones=[1, 2], device=torch.device("cpu"), dtype=torch.float32),
        metric=numpy.float64(0.5), history=numpy.arange(4.0), counts=Counter(a=1), lists=defaultdict(list, a=[1]),
        message_hub=dict(log_scalars={"loss": HistoryBuffer()}), size=torch.Size([1, 2]), rng=torch.get_rng_state(), meta=dict(seen={1, 2}, blob=b"\x00\xff", none=None))
    return {
        "kinds": (kinds(), None), "module": (net.state_dict(), None), "parallel": (parallel.state_dict(), None),
        "trained": (trained, net.state_dict()), "torchvision": (dict(model=net.state_dict(), epoch=1), net.state_dict()),
        "plain": (dict(a=torch.arange(3.0)), None)}


for name, (value, state) in files().items():
    for form in ("zip", "legacy"):
        file = f"{name}.{form}.pth"
        torch.save(value, f"{sys.argv[1]}/{file}", _use_new_zipfile_serialization=form == "zip")
        print(json.dumps({"file": file, "tensors": facts(state or value)}))
for form in ("zip", "legacy"):
    for protocol in (3, 4, 5):
        state, file = kinds(), f"protocol{protocol}.{form}.pth"
        torch.save(state, f"{sys.argv[1]}/{file}", pickle_protocol=protocol, _use_new_zipfile_serialization=form == "zip")
        print(json.dumps({"file": file, "tensors": facts(state)}))
torch.save(Net(), f"{sys.argv[1]}/whole.zip.pth")
torch.save(Net(), f"{sys.argv[1]}/whole.legacy.pth", _use_new_zipfile_serialization=False)
torch.jit.script(torch.nn.Linear(2, 2)).save(f"{sys.argv[1]}/script.pth")
torch.save(torch.randn(3), f"{sys.argv[1]}/tensor.pth")
torch.save({"a": torch.randn(1).expand(10**6)}, f"{sys.argv[1]}/expanded.pth")
torch.save({"a": torch.sparse_coo_tensor([[0]], [1.0], (2,))}, f"{sys.argv[1]}/sparse.pth")
for t in ("qint8", "quint8", "qint32"):
    torch.save({"a": torch.quantize_per_tensor(torch.randn(3), 0.1, 0, getattr(torch, t))}, f"{sys.argv[1]}/{t}.pth")
torch.save({"epoch": 3}, f"{sys.argv[1]}/none.pth")
