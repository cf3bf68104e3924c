#!/usr/bin/python3
"""Writes steps.json: a few steps of each optimiser, computed by torch.optim.

    /usr/bin/python3 optim/testdata/steps.py > optim/testdata/steps.json

In float64. Paddle's formulas are those of torch.optim but for clipping, which
PyTorch divides by norm + 1e-6 and Paddle by max(norm, clip): that is done here.
Paddle writes Adam's epsilon at another place (phi/kernels/funcs/adam_functors.h:
it multiplies it and the rate by sqrt(1 - beta2^t)); paddle_adam below is that
formula, and must agree with torch.optim.
"""
import json
import math
import sys

import numpy
import torch

PARAMS = [  # name, shape, factor on the learning rate, decay
    ("conv", (3, 2, 2, 2), 1, 1e-2),
    ("scale", (3,), 1, 0),
    ("fc.weight", (3, 4), 5, 1e-2),
    ("fc.bias", (4,), 10, 0),
    ("conv2", (2, 4, 1, 1), 1, 1e-2),  # of the first's group
]
STEPS = 5
RATES = [0.1, 0.05, 0.2, 0.1, 0.01]
MOMENTUM, BETA1, BETA2, EPSILON = 0.9, 0.9, 0.99, 1e-3  # large enough to see
CLIP = 2.5  # some steps are clipped, some not


def sgd(groups):
    return torch.optim.SGD(groups, lr=1)


def momentum(groups):
    return torch.optim.SGD(groups, lr=1, momentum=MOMENTUM)


def nesterov(groups):
    return torch.optim.SGD(groups, lr=1, momentum=MOMENTUM, nesterov=True)


def adam(groups):
    return torch.optim.Adam(groups, lr=1, betas=(BETA1, BETA2), eps=EPSILON)


def adamw(groups):
    return torch.optim.AdamW(groups, lr=1, betas=(BETA1, BETA2), eps=EPSILON)


SLOTS = {"momentum_buffer": "velocity", "exp_avg": "moment1", "exp_avg_sq": "moment2"}


def flat(t):
    return t.detach().reshape(-1).tolist()


def clipped(grads, clip):
    norm = math.sqrt(sum(float((g * g).sum()) for g in grads))
    return [g * (clip / max(norm, clip)) for g in grads], norm


def run(make, start, grads, clip):
    params = [torch.nn.Parameter(torch.from_numpy(v.copy())) for v in start]
    groups = [{"params": [p], "weight_decay": decay} for p, (_, _, _, decay) in zip(params, PARAMS)]
    opt = make(groups)
    weights, norms, slots = [], [], []
    for step in range(STEPS):
        g = [torch.from_numpy(v) for v in grads[step]]
        if clip:
            g, norm = clipped(g, clip)
            norms.append(norm)
        for p, v in zip(params, g):
            p.grad = v
        for group, (_, _, mult, _) in zip(opt.param_groups, PARAMS):
            group["lr"] = RATES[step] * mult
        opt.step()
        weights.append([flat(p) for p in params])
    for p, (name, *_) in zip(params, PARAMS):
        for key, value in opt.state[p].items():
            if key in SLOTS and value is not None:
                slots.append({"param": name, "slot": SLOTS[key], "values": flat(value)})
    return {"weights": weights, "norms": norms, "slots": slots}


def paddle_adam(start, grads, decoupled):
    params = [v.copy() for v in start]
    m = [numpy.zeros_like(v) for v in start]
    u = [numpy.zeros_like(v) for v in start]
    for step in range(STEPS):
        pow1, pow2 = BETA1 ** (step + 1), BETA2 ** (step + 1)
        for i, (_, _, mult, decay) in enumerate(PARAMS):
            lr, g = RATES[step] * mult, grads[step][i]
            if decoupled:
                params[i] *= 1 - lr * decay
            else:
                g = g + decay * params[i]
            m[i] = BETA1 * m[i] + (1 - BETA1) * g
            u[i] = BETA2 * u[i] + (1 - BETA2) * g * g
            scaled = lr * math.sqrt(1 - pow2) / (1 - pow1)
            params[i] -= scaled * m[i] / (numpy.sqrt(u[i]) + EPSILON * math.sqrt(1 - pow2))
    return params


def main():
    rng = numpy.random.RandomState(3)

    def numbers(shape):  # that float32 holds
        return rng.standard_normal(shape).astype(numpy.float32).astype(numpy.float64)

    start = [numbers(shape) for _, shape, _, _ in PARAMS]
    grads = [[numbers(shape) * 2.0 ** -s for _, shape, _, _ in PARAMS] for s in range(STEPS)]
    cases = {
        "sgd": run(sgd, start, grads, 0),
        "momentum": run(momentum, start, grads, 0),
        "nesterov": run(nesterov, start, grads, 0),
        "momentum clipped": run(momentum, start, grads, CLIP),
        "adam": run(adam, start, grads, 0),
        "adamw": run(adamw, start, grads, 0),
        "adamw clipped": run(adamw, start, grads, CLIP),
    }
    for name, decoupled in ("adam", False), ("adamw", True):
        for ours, theirs in zip(paddle_adam(start, grads, decoupled), cases[name]["weights"][-1]):
            assert numpy.abs(ours.reshape(-1) - theirs).max() < 1e-12, name
    norms = cases["momentum clipped"]["norms"]
    assert max(norms) > CLIP > min(norms), norms
    json.dump({
        "params": [{"name": n, "shape": s, "lr_mult": mult, "decay": d, "values": v.reshape(-1).tolist()}
                   for (n, s, mult, d), v in zip(PARAMS, start)],
        "rates": RATES, "momentum": MOMENTUM, "beta1": BETA1, "beta2": BETA2, "epsilon": EPSILON, "clip": CLIP,
        "grads": [[g.reshape(-1).tolist() for g in step] for step in grads],
        "cases": cases, "torch": torch.__version__,
    }, sys.stdout)
    print()


if __name__ == "__main__":
    main()
