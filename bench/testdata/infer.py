"""PyTorch's side of package torch's BenchmarkInference: PP-TSN as a user of
PyTorch runs it for speed. 8-bit views in pinned memory, channels last, copied
and normalised on the device, scores back on the host; eager and torch.compile.

    infer.py DEVICE CLIPS CALLS [SIDE]
"""
import sys
import time

import torch

from train_step import PPTSN

SEGMENTS, CLASSES = 8, 400
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def constant(values, device, dtype):
    return torch.tensor(values, device=device, dtype=dtype).view(1, 3, 1, 1)


def runner(device, dtype, clips, side, compiled):
    torch.manual_seed(1)
    net = PPTSN(CLASSES).eval().to(device=device, dtype=dtype, memory_format=torch.channels_last)
    views = torch.randint(256, (clips * SEGMENTS, side, side, 3), dtype=torch.uint8)
    if device == "cuda":
        views = views.pin_memory()
    mean, std = constant(MEAN, device, torch.float32), constant(STD, device, torch.float32)

    def network(pixels):
        x = (pixels.permute(0, 3, 1, 2).float() / 255 - mean) / std
        return net(x.to(dtype), clips).float()

    if compiled:
        network = torch.compile(network, mode="reduce-overhead" if device == "cuda" else "default")  # with CUDA graphs

    def call():
        return network(views.to(device, non_blocking=True)).cpu()

    return call


def measure(name, device, clips, calls, make):
    try:
        with torch.inference_mode():
            call = make()
            for _ in range(3):
                call()
            start = time.perf_counter()
            for _ in range(calls):
                call()
            took = time.perf_counter() - start
    except Exception as e:  # the others are measured all the same
        print(f"{name}: {type(e).__name__}: {str(e).splitlines()[0] if str(e) else ''}", flush=True)
        return
    videos = clips * calls / took
    print(f"{name}: {videos:.1f} videos/s {videos * SEGMENTS:.1f} frames/s", flush=True)


def main():
    device, clips, calls = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    side = int(sys.argv[4]) if len(sys.argv) > 4 else 224
    if device == "cuda":
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.allow_tf32 = False  # float32 is float32 on both sides
    dtypes = [torch.float32, torch.bfloat16] + ([torch.float16] if device == "cuda" else [])
    for dtype in dtypes:
        for compiled in (False, True):
            name = f"PyTorch {torch.__version__} {'compile' if compiled else 'eager'} {str(dtype).split('.')[1]}"
            if compiled and not hasattr(torch, "compile"):
                print(f"{name}: this PyTorch has no torch.compile (2.0 has)", flush=True)
                continue
            measure(name, device, clips, calls, lambda: runner(device, dtype, clips, side, compiled))


if __name__ == "__main__":
    main()
