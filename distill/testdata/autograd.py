"""Losses of distillation and their gradients by PyTorch's autograd in float64.

stdin: a JSON list of cases, {"Terms": [...], "Scores": {name: [n][K]},
"Targets": [n][K]}. stdout: a list of {"Loss": x, "Grads": {name: [n][K]}}.
"""
import json
import sys

import torch
import torch.nn.functional as F


def cross_entropy(score, target, smoothing):
    # PyTorch's own, which takes distributions and smooths them itself.
    return F.cross_entropy(score, target, label_smoothing=smoothing)


def dml(a, b, act, eps):
    if act == "softmax":
        a, b = F.softmax(a, -1), F.softmax(b, -1)
    elif act == "sigmoid":
        a, b = a.sigmoid(), b.sigmoid()
    k = a.shape[-1]
    ab = b * ((b + eps).log() - (a + eps).log()) * k
    ba = a * ((a + eps).log() - (b + eps).log()) * k
    return ((ab + ba) / 2).mean()


def kd(student, teacher, target, term):
    t = term["Temperature"]
    soft = F.kl_div(F.log_softmax(student / t, -1), F.log_softmax(teacher.detach() / t, -1),
                    reduction="batchmean", log_target=True)
    hard = cross_entropy(student, target, term["Smoothing"])
    return term["Alpha"] * t * t * soft + (1 - term["Alpha"]) * hard


def value(term, scores, target):
    of = scores[term["Of"]]
    kind = term["Kind"]
    if kind == "DistillationCELoss":
        return cross_entropy(of, target, term["Smoothing"])
    if kind == "DistillationDMLLoss":
        return dml(of, scores[term["To"]], term["Act"], term["Epsilon"])
    return kd(of, scores[term["To"]], target, term)


out = []
for case in json.load(sys.stdin):
    scores = {k: torch.tensor(v, dtype=torch.float64, requires_grad=True) for k, v in case["Scores"].items()}
    target = torch.tensor(case["Targets"], dtype=torch.float64)
    loss = sum(t["Weight"] * value(t, scores, target) for t in case["Terms"])
    loss.backward()
    grads = {k: (v.grad if v.grad is not None else torch.zeros_like(v)).tolist() for k, v in scores.items()}
    out.append({"Loss": loss.item(), "Grads": grads})
json.dump(out, sys.stdout)
