"""PyTorch eager's side of BenchmarkLearner: the network of
bench/testdata/train_step.py as a user of PyTorch trains it, bfloat16 autocast,
channels last, batches in pinned memory as a DataLoader gives them.

    throughput.py DEVICE CLIPS STEPS [THREADS]
"""
import pathlib
import sys
import time

import torch
from torch.nn import functional as F

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench" / "testdata"))
from train_step import PPTSN  # noqa: E402

SEGMENTS, SIDE, CLASSES = 3, 224, 400


def main():
    device, clips, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    if len(sys.argv) > 4:
        torch.set_num_threads(int(sys.argv[4]))
    torch.manual_seed(1)
    net = PPTSN(CLASSES).to(device=device, memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=1e-4)
    views = torch.randn(clips, SEGMENTS, 3, SIDE, SIDE)
    labels = torch.randint(CLASSES, (clips,)).to(device)
    if device == "cuda":
        views = views.pin_memory()

    def step():
        optimizer.zero_grad(set_to_none=True)
        x = views.to(device, non_blocking=True).flatten(0, 1).contiguous(memory_format=torch.channels_last)
        with torch.autocast(device, dtype=torch.bfloat16):
            loss = F.cross_entropy(net(x, clips), labels, label_smoothing=0.1)
        loss.backward()
        optimizer.step()
        return loss.item()

    for _ in range(3):
        step()
    start = time.perf_counter()
    for _ in range(steps):
        step()
    if device == "cuda":
        torch.cuda.synchronize()
    took = time.perf_counter() - start
    line = f"PyTorch {torch.__version__} eager: {took / steps * 1e9:.0f} ns/op {clips * SEGMENTS * steps / took:.1f} img/s"
    if device == "cuda":
        line += f" {torch.cuda.max_memory_allocated() / 1e6:.1f} peak-MB"
    print(line)


if __name__ == "__main__":
    main()
