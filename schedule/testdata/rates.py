"""Rates of Paddle's CosineAnnealingDecay and LinearWarmup, stepped one epoch at a time.

The parity kit has neither. This follows the facts of get_lr and _get_closed_form_lr in Paddle 2.6
(python/paddle/optimizer/lr.py) with Python's floats: python3 rates.py > rates.json
"""
import json
from math import cos, pi


class Cosine:
    def __init__(self, base, period, low):
        self.base, self.period, self.low = base, period, low
        self.epoch, self.rate = 0, base

    def step(self):
        self.epoch += 1
        e, t = self.epoch, self.period
        if (e - 1 - t) % (2 * t) == 0:
            self.rate = self.rate + (self.base - self.low) * (1 - cos(pi / t)) / 2
        else:
            self.rate = (1 + cos(pi * e / t)) / (1 + cos(pi * (e - 1) / t)) * (self.rate - self.low) + self.low

    def jump(self, epoch):  # step(epoch) takes the closed form
        self.epoch = epoch
        self.rate = self.low + (self.base - self.low) * (1 + cos(pi * epoch / self.period)) / 2


class Constant:
    def __init__(self, rate):
        self.rate = rate

    def jump(self, epoch):
        pass


class Warmup:
    def __init__(self, epochs, start, end, after):
        self.epochs, self.start, self.end, self.after = epochs, start, end, after
        self.epoch, self.rate = 0, start

    def step(self):
        self.epoch += 1
        if self.epoch < self.epochs:
            self.rate = (self.end - self.start) * float(self.epoch) / float(self.epochs) + self.start
        else:
            self.after.jump(self.epoch - self.epochs)
            self.rate = self.after.rate


def run(scheduler, epochs=120):
    rates = []
    for _ in range(epochs):
        rates.append(scheduler.rate)
        scheduler.step()
    return rates


cases = []
for base, period, low in [(0.01, 50, 0.0), (0.1, 7, 1e-3), (1.0, 1, 0.25), (0.05, 300, 1e-5)]:
    cases.append(dict(base=base, period=period, min=low, rates=run(Cosine(base, period, low))))
    cases.append(dict(base=base, period=period, min=low, warmup=5, start=0.0, end=base,
                      rates=run(Warmup(5, 0.0, base, Cosine(base, period, low)))))
cases.append(dict(constant=0.3, warmup=3, start=0.1, end=0.3, rates=run(Warmup(3, 0.1, 0.3, Constant(0.3)), 12)))
print(json.dumps(dict(cases=cases)))
