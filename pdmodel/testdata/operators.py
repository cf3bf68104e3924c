#!/usr/bin/env python3
"""Writes operators.json: small programs and what they compute.

    python3 operators.py > operators.json

Each function below is Paddle's definition of an operator (documentation of
paddle.nn.functional and the comments of paddle/fluid/operators) in plain numpy
loops, float64. Element i of a tensor with seed s is ((7 i^2 + 3 i + s) mod 17 - 8) / 8,
or, where it has to be positive, ((7 i^2 + 3 i + s) mod 17 + 1) / 8.
"""
import json
import numpy as np

cases = []


def fill(shape, seed, positive=False):
    i = np.arange(int(np.prod(shape)), dtype=np.int64)
    v = (7 * i * i + 3 * i + seed) % 17
    return ((v + 1) / 8 if positive else (v - 8) / 8).reshape(shape)


class Case:
    """One program: inputs and parameters by name, operators in order."""

    def __init__(self, name):
        self.c = dict(name=name, inputs={}, params={}, dims={}, ops=[])
        self.seed = 1

    def tensor(self, kind, name, *shape, positive=False):
        self.seed += 4
        self.c[kind][name] = dict(shape=list(shape), seed=self.seed, positive=positive)
        return fill(shape, self.seed, positive)

    def x(self, *shape, name="x"):
        return self.tensor("inputs", name, *shape)

    def p(self, name, *shape, positive=False):
        return self.tensor("params", name, *shape, positive=positive)

    def op(self, typ, ins, outs, **attrs):
        def typed(v):
            if isinstance(v, bool):
                return {"bool": v}
            if isinstance(v, int):
                return {"int": v}
            if isinstance(v, float):
                return {"float": v}
            if isinstance(v, str):
                return {"string": v}
            return {"ints": v}
        slots = lambda d: {k: v if isinstance(v, list) else [v] for k, v in d.items()}
        self.c["ops"].append(dict(type=typ, **{"in": slots(ins), "out": slots(outs)},
                                  attrs={k: typed(v) for k, v in attrs.items()}))
        return self

    def want(self, value, dims=None):
        value = np.asarray(value, dtype=np.float64)
        out = [v for vs in self.c["ops"][-1]["out"].values() for v in vs][0]
        if dims is not None:
            self.c["dims"][out] = dims
            value = value.reshape(dims)
        self.c.update(fetch=out, shape=list(value.shape), want=[float("%.9g" % v) for v in value.ravel()])
        cases.append(self.c)


def conv(x, w, stride=(1, 1), pad=(0, 0, 0, 0), dilation=(1, 1), groups=1):
    top, bottom, left, right = pad
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    n, _, h, wd = x.shape
    o, i, kh, kw = w.shape
    oh = (h - dilation[0] * (kh - 1) - 1) // stride[0] + 1
    ow = (wd - dilation[1] * (kw - 1) - 1) // stride[1] + 1
    y = np.zeros((n, o, oh, ow))
    for oc in range(o):
        g = oc // (o // groups)
        for r in range(oh):
            for c in range(ow):
                for a in range(kh):
                    for b in range(kw):
                        px = x[:, g * i:(g + 1) * i, r * stride[0] + a * dilation[0], c * stride[1] + b * dilation[1]]
                        y[:, oc, r, c] += px @ w[oc, :, a, b]
    return y


def pool(x, kind, k, s, pad=(0, 0, 0, 0), ceil=False, exclusive=True):
    n, ch, h, w = x.shape
    top, bottom, left, right = pad
    size = lambda d, k, a, b, s: (d - k + a + b + (s - 1 if ceil else 0)) // s + 1
    oh, ow = size(h, k[0], top, bottom, s[0]), size(w, k[1], left, right, s[1])
    y = np.zeros((n, ch, oh, ow))
    for r in range(oh):
        for c in range(ow):
            r0, c0 = r * s[0] - top, c * s[1] - left
            r1, c1 = min(r0 + k[0], h + bottom), min(c0 + k[1], w + right)
            whole = (r1 - r0) * (c1 - c0)
            win = x[:, :, max(r0, 0):min(r1, h), max(c0, 0):min(c1, w)]
            if kind == "max":
                y[:, :, r, c] = win.max(axis=(2, 3))
            else:
                y[:, :, r, c] = win.sum(axis=(2, 3)) / (win.shape[2] * win.shape[3] if exclusive else whole)
    return y


relu = lambda v: np.maximum(v, 0)
sigmoid = lambda v: 1 / (1 + np.exp(-v))
hard_sigmoid = lambda v, slope, offset: np.clip(slope * v + offset, 0, 1)
hard_swish = lambda v: v * np.clip(v + 3, 0, 6) / 6
perchannel = lambda v: v.reshape(1, -1, 1, 1)


def softmax(x, axis):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def convolutions():
    def start(name, shape, filt):
        c = Case(name)
        return c, c.x(*shape), c.p("w", *filt)
    io = dict(Input="x", Filter="w")

    c, x, w = start("conv2d: four paddings, dilation, groups", (2, 4, 6, 5), (6, 2, 3, 2))
    c.op("conv2d", io, {"Output": "y"}, strides=[2, 1], paddings=[1, 2, 0, 1], dilations=[1, 2], groups=2)
    c.want(conv(x, w, (2, 1), (1, 2, 0, 1), (1, 2), 2))

    c, x, w = start("conv2d: SAME pads more behind and forgets the dilation", (1, 2, 6, 7), (2, 2, 3, 3))
    c.op("conv2d", io, {"Output": "y"}, strides=[2, 2], paddings=[5, 5], dilations=[2, 2], padding_algorithm="SAME")
    c.want(conv(x, w, (2, 2), (0, 1, 1, 1)))

    c, x, w = start("conv2d: VALID forgets the paddings", (1, 2, 5, 5), (2, 2, 3, 3))
    c.op("conv2d", io, {"Output": "y"}, paddings=[1, 1], padding_algorithm="VALID")
    c.want(conv(x, w))

    c, x, w = start("depthwise_conv2d", (1, 3, 5, 5), (3, 1, 3, 3))
    c.op("depthwise_conv2d", io, {"Output": "y"}, paddings=[1, 1], groups=3)
    c.want(conv(x, w, pad=(1, 1, 1, 1), groups=3))

    for typ, attrs, act in [
        ("conv2d", dict(fuse_residual_connection=True, fuse_activation="relu", fuse_alpha=0.0, fuse_beta=0.0), relu),
        ("conv2d", dict(fuse_residual_connection=True, fuse_relu=True), relu),
        ("conv2d", dict(fuse_residual_connection=True, fuse_brelu=True, fuse_brelu_threshold=6.0), lambda v: np.clip(v, 0, 6)),
        ("fused_conv2d", dict(fuse_residual_connection=True, fuse_activation="hard_sigmoid", fuse_alpha=0.25, fuse_beta=0.5),
         lambda v: hard_sigmoid(v, .25, .5)),
        ("fused_conv2d", dict(fuse_residual_connection=True, fuse_activation="relu6", fuse_beta=6.0), lambda v: np.clip(v, 0, 6)),
        ("conv2d_fusion", dict(), relu),  # its activation is relu unless told
        ("conv2d_fusion", dict(activation="identity"), lambda v: v),
        ("fused_conv2d_add_act", dict(activation="sigmoid"), sigmoid),
    ]:
        c, x, w = start("%s with bias and residual, %s" % (typ, attrs.get("fuse_activation", attrs.get("activation", ""))),
                        (1, 2, 4, 4), (3, 2, 1, 1))
        b, r = c.p("b", 3), c.x(1, 3, 4, 4, name="r")
        c.op(typ, dict(io, Bias="b", ResidualData="r"), {"Output": "y"}, **attrs)
        c.want(act(conv(x, w) + perchannel(b) + r))

    c, x, w = start("conv2d that is given a residual but not told to add it", (1, 2, 4, 4), (3, 2, 1, 1))
    c.x(1, 3, 4, 4, name="r")
    c.op("conv2d", dict(io, Bias=[], ResidualData="r"), {"Output": "y"})
    c.want(conv(x, w))

    for fused in False, True:
        c = Case("batch_norm, fuse_with_relu=%s" % fused)
        x = c.x(2, 3, 2, 2)
        s, b, m, v = c.p("s", 3), c.p("b", 3), c.p("m", 3), c.p("v", 3, positive=True)
        c.op("batch_norm", dict(X="x", Scale="s", Bias="b", Mean="m", Variance="v"), dict(Y="y", MeanOut="m", VarianceOut="v"),
             epsilon=1e-3, is_test=True, fuse_with_relu=fused)
        y = (x - perchannel(m)) / np.sqrt(perchannel(v) + 1e-3) * perchannel(s) + perchannel(b)
        c.want(relu(y) if fused else y)


def activations():
    for typ, attrs, f in [
        ("relu", {}, relu),
        ("relu6", dict(threshold=6.0), lambda v: np.clip(v, 0, 6)),
        ("hard_swish", {}, hard_swish),
        ("hard_sigmoid", {}, lambda v: hard_sigmoid(v, .2, .5)),
        ("hard_sigmoid", dict(slope=0.5, offset=0.25), lambda v: hard_sigmoid(v, .5, .25)),
        ("sigmoid", {}, sigmoid),
        ("swish", {}, lambda v: v * sigmoid(v)),
        ("swish", dict(beta=1.5), lambda v: v * sigmoid(1.5 * v)),
        ("silu", {}, lambda v: v * sigmoid(v)),
    ]:
        c = Case("%s %s" % (typ, attrs))
        x = c.x(2, 17)
        c.op("scale", dict(X="x"), dict(Out="wide"), scale=9.0)
        c.op(typ, dict(X="wide"), dict(Out="y"), **attrs)
        c.want(f(9 * x))


def pools():
    for name, shape, attrs, f in [
        ("max, ceil", (1, 2, 6, 7), dict(pooling_type="max", ksize=[3, 3], strides=[2, 2], paddings=[1, 1], ceil_mode=True),
         lambda x: pool(x, "max", (3, 3), (2, 2), (1, 1, 1, 1), ceil=True)),
        ("mean without padding", (1, 2, 5, 5), dict(pooling_type="avg", ksize=[3, 3], strides=[2, 2], paddings=[1, 1]),
         lambda x: pool(x, "avg", (3, 3), (2, 2), (1, 1, 1, 1))),
        ("mean with padding", (1, 2, 5, 5), dict(pooling_type="avg", ksize=[3, 3], strides=[2, 2], paddings=[1, 1], exclusive=False),
         lambda x: pool(x, "avg", (3, 3), (2, 2), (1, 1, 1, 1), exclusive=False)),
        ("mean, ceil", (1, 2, 5, 7), dict(pooling_type="avg", ksize=[2, 2], strides=[2, 2], paddings=[0, 0], ceil_mode=True),
         lambda x: pool(x, "avg", (2, 2), (2, 2), ceil=True)),
        ("SAME", (1, 1, 5, 6), dict(pooling_type="avg", ksize=[3, 3], strides=[2, 2], padding_algorithm="SAME"),
         lambda x: pool(x, "avg", (3, 3), (2, 2), (1, 1, 0, 1))),
        ("VALID", (1, 1, 5, 6), dict(pooling_type="max", ksize=[3, 3], strides=[2, 2], paddings=[1, 1], padding_algorithm="VALID"),
         lambda x: pool(x, "max", (3, 3), (2, 2))),
        ("adaptive to 2x3", (1, 2, 4, 6), dict(pooling_type="avg", ksize=[2, 3], adaptive=True),
         lambda x: pool(x, "avg", (2, 2), (2, 2))),
        ("adaptive to 1x1", (2, 2, 4, 6), dict(pooling_type="avg", ksize=[1, 1], adaptive=True),
         lambda x: x.mean(axis=(2, 3), keepdims=True)),
        ("global mean", (2, 2, 4, 6), dict(pooling_type="avg", ksize=[3, 3], paddings=[1, 1], global_pooling=True),
         lambda x: x.mean(axis=(2, 3), keepdims=True)),
        ("global maximum", (2, 2, 4, 6), dict(pooling_type="max", ksize=[3, 3], global_pooling=True),
         lambda x: x.max(axis=(2, 3), keepdims=True)),
    ]:
        c = Case("pool2d: " + name)
        x = c.x(*shape)
        c.op("pool2d", dict(X="x"), dict(Out="y"), **attrs)
        c.want(f(x))


def arithmetic():
    for name, xs, ys, axis, aligned in [
        ("channels", (2, 3, 4, 5), (3,), 1, (3, 1, 1)),
        ("batch", (2, 3, 4), (2,), 0, (2, 1, 1)),
        ("middle", (2, 3, 4, 5), (3, 4), 1, (3, 4, 1)),
        ("last", (2, 3, 4), (4,), -1, (4,)),
        ("trailing ones", (2, 3), (3, 1), 1, (3,)),
        ("equal ranks", (2, 3, 4), (2, 1, 4), -1, (2, 1, 4)),
        ("smaller left operand", (3,), (2, 3, 4), 1, (3, 1)),
    ]:
        for typ, f in ("elementwise_add", np.add), ("elementwise_sub", np.subtract), ("elementwise_mul", np.multiply), ("elementwise_div", np.divide):
            if typ != "elementwise_sub" and name not in ("channels", "last"):
                continue
            c = Case("%s: %s" % (typ, name))
            x, y = c.x(*xs), c.p("w", *ys, positive=True)
            c.op(typ, dict(X="x", Y="w"), dict(Out="y"), axis=axis)
            c.want(f(x.reshape(aligned), y) if len(xs) < len(ys) else f(x, y.reshape(aligned)))
    c = Case("fused_elementwise_add with relu")
    x, y = c.x(2, 3), c.p("w", 2, 3)
    c.op("fused_elementwise_add", dict(X="x", Y="w"), dict(Out="y"), axis=-1, fuse_activation="relu")
    c.want(relu(x + y))
    for after in True, False:
        c = Case("scale, bias_after_scale=%s" % after)
        x = c.x(2, 5)
        c.op("scale", dict(X="x", ScaleTensor=[]), dict(Out="y"), scale=3.0, bias=0.5, bias_after_scale=after)
        c.want(3 * x + .5 if after else 3 * (x + .5))
    for kind, k in ("upscale_in_train", 1), ("downgrade_in_infer", .75), (None, .75):
        c = Case("dropout %s" % kind)
        x = c.x(2, 5)
        how = dict(dropout_implementation=kind) if kind else {}
        c.op("dropout", dict(X="x", Seed=[]), dict(Out="y", Mask="mask"), dropout_prob=0.25, is_test=True, **how)
        c.want(k * x)


def products():
    def start(name, xs, ws):
        c = Case(name)
        return c, c.x(*xs), c.p("w", *ws)
    c, x, w = start("matmul: transposed parameter, alpha", (2, 3, 4), (5, 4))
    c.op("matmul", dict(X="x", Y="w"), dict(Out="y"), transpose_Y=True, alpha=0.5, fused_reshape_X=[])
    c.want(.5 * x @ w.T)
    c, x, w = start("matmul_v2: transposed value", (2, 4, 3), (4, 5))
    c.op("matmul_v2", dict(X="x", Y="w"), dict(Out="y"), trans_x=True)
    c.want(np.swapaxes(x, 1, 2) @ w)
    c, x, w = start("matmul_v2: a vector", (4,), (4, 5))
    c.op("matmul_v2", dict(X="x", Y="w"), dict(Out="y"))
    c.want(x @ w)
    c, x, w = start("mul: joins trailing axes", (2, 3, 2, 2), (12, 5))
    c.op("mul", dict(X="x", Y="w"), dict(Out="y"), x_num_col_dims=1, y_num_col_dims=1)
    c.want(x.reshape(2, 12) @ w)
    c, x, w = start("mul: keeps leading axes", (2, 3, 4), (4, 5))
    c.op("mul", dict(X="x", Y="w"), dict(Out="y"), x_num_col_dims=2)
    c.want(x @ w)
    c, x, w = start("fc: bias and relu", (2, 3, 2, 2), (4, 5))
    b = c.p("b", 1, 5)
    c.op("fc", dict(Input="x", W="w", Bias="b"), dict(Out="y"), in_num_col_dims=2, activation_type="relu")
    c.want(relu(x.reshape(2, 3, 4) @ w + b))


def reductions():
    for name, attrs, f, dims in [
        ("one axis", dict(dim=[1]), lambda x: x.mean(axis=1), None),
        ("negative axes, kept", dict(dim=[-1, -2], keep_dim=True), lambda x: x.mean(axis=(1, 2), keepdims=True), None),
        ("all, as before Paddle 2.5", dict(reduce_all=True), lambda x: x.mean(), [1]),
        ("all", dict(dim=[0, 1, 2]), lambda x: x.mean(), []),
        ("the first by default", {}, lambda x: x.mean(axis=0), None),
    ]:
        c = Case("reduce_mean: " + name)
        x = c.x(2, 3, 4)
        c.op("reduce_mean", dict(X="x"), dict(Out="y"), **attrs)
        c.want(f(x), dims)
    c = Case("mean")
    x = c.x(2, 3)
    c.op("mean", dict(X="x"), dict(Out="y"))
    c.want(x.mean(), [1])
    for axis in None, 1:
        c = Case("softmax %s" % axis)
        x = c.x(2, 3, 4)
        c.op("softmax", dict(X="x"), dict(Out="y"), **(dict(axis=axis) if axis else {}))
        c.want(softmax(x, -1 if axis is None else axis))


def layouts():
    for name, typ, shape, attrs, f in [
        ("reshape2", "reshape2", (2, 3, 4), dict(shape=[0, -1, 2]), lambda x: x.reshape(2, 6, 2)),
        ("flatten at 2", "flatten2", (2, 3, 4, 5), dict(axis=2), lambda x: x.reshape(6, 20)),
        ("flatten at 0", "flatten2", (2, 3), dict(axis=0), lambda x: x.reshape(1, 6)),
        ("flatten the middle", "flatten_contiguous_range", (2, 3, 4, 5), dict(start_axis=1, stop_axis=2), lambda x: x.reshape(2, 12, 5)),
        ("flatten to the end", "flatten_contiguous_range", (2, 3, 4), dict(start_axis=0, stop_axis=-1), lambda x: x.reshape(24)),
        ("squeeze2 some", "squeeze2", (2, 1, 3, 1), dict(axes=[-1, 2]), lambda x: x.reshape(2, 1, 3)),
        ("squeeze2 all", "squeeze2", (2, 1, 3, 1), dict(axes=[]), lambda x: x.reshape(2, 3)),
        ("unsqueeze2", "unsqueeze2", (2, 3), dict(axes=[0, -1, 2]), lambda x: x.reshape(1, 2, 1, 3, 1)),
        ("transpose2", "transpose2", (2, 3, 4), dict(axis=[1, 2, 0]), lambda x: x.transpose(1, 2, 0)),
    ]:
        c = Case(name)
        x = c.x(*shape)
        c.op(typ, dict(X="x"), dict(Out="y", XShape="xs"), **attrs)
        c.want(f(x))
    c = Case("concat")
    x, z = c.x(2, 3, 4), c.x(2, 1, 4, name="z")
    c.op("concat", dict(X=["x", "z", "x"], AxisTensor=[]), dict(Out="y"), axis=-2)
    c.want(np.concatenate([x, z, x], axis=1))
    c = Case("slice")
    x = c.x(3, 4, 5)
    c.op("slice", dict(Input="x", StartsTensor=[]), dict(Out="y"), axes=[0, 2], starts=[1, -3], ends=[1000, -1], infer_flags=[1, 1])
    c.want(x[1:, :, -3:-1])
    c = Case("slice that drops axes")
    x = c.x(3, 4, 5)
    c.op("slice", dict(Input="x"), dict(Out="y"), axes=[0, 1], starts=[1, -1], ends=[2, 1000], decrease_axis=[0, 1])
    c.want(x[1, -1])
    c = Case("slice down to one number")
    x = c.x(4)
    c.op("slice", dict(Input="x"), dict(Out="y"), axes=[0], starts=[2], ends=[3], decrease_axis=[0])
    c.want(x[2], [1])
    c = Case("temporal_shift")
    x = c.x(6, 8, 2, 2)
    c.op("temporal_shift", dict(X="x"), dict(Out="y"), seg_num=3, shift_ratio=0.25)
    v = x.reshape(2, 3, 8, 2, 2)
    y = v.copy()
    y[:, :, :4] = 0
    y[:, 1:, 0:2] = v[:, :-1, 0:2]
    y[:, :-1, 2:4] = v[:, 1:, 2:4]
    c.want(y.reshape(x.shape))
    c = Case("in place, assign, cast")
    x = c.x(2, 3)
    c.op("scale", dict(X="x"), dict(Out="x"), bias=0.5)
    c.op("assign", dict(X="x"), dict(Out="a"))
    c.op("cast", dict(X="a"), dict(Out="b"), in_dtype=5, out_dtype=4)
    c.op("relu", dict(X="x"), dict(Out="x"))
    c.op("elementwise_add", dict(X="x", Y="b"), dict(Out="y"))
    c.want(relu(x + .5) + x + .5)


for group in convolutions, activations, pools, arithmetic, products, reductions, layouts:
    group()
print("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]")
