"""Writes pickles of every kind of array and value into the folder named, one
file for each protocol, and prints their paths."""
import collections
import os
import pickle
import sys

import numpy as np

TYPES = ["bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64",
         "float16", "float32", "float64", "complex64", "complex128"]


def arrays():
    rng = np.random.default_rng(1)
    d = {}
    for name in TYPES:
        dt = np.dtype(name)
        raw = rng.integers(0, 256, 24 * dt.itemsize, dtype=np.uint8)
        if name == "bool":
            raw &= 1
        a = raw.view(dt).reshape(2, 3, 4)
        d[name] = a
        d[name + ".fortran"] = np.asfortranarray(a)
        d[name + ".big"] = a.astype(dt.newbyteorder(">"))
        d[name + ".big.fortran"] = np.asfortranarray(a).astype(dt.newbyteorder(">"))
        d[name + ".strided"] = a[:, ::2, ::-1]
        d[name + ".0d"] = np.array(a[1, 2, 3])
        d[name + ".1d"] = a.reshape(-1)
        d[name + ".one"] = a[:1, :1, :1]
        d[name + ".empty"] = np.zeros((0, 3), dt)
        d[name + ".scalar"] = a[0, 1, 2]
    frozen = d["float32"].copy()
    frozen.flags.writeable = False
    d["frozen"] = frozen
    d["large"] = rng.standard_normal((300, 700)).astype("float32")
    d["all bytes"] = np.arange(256, dtype=np.uint8)
    return d


def values(a):
    nested = collections.OrderedDict([("a", 1), ("b", {"c": [1, 2.5, None]})])
    return {
        "none": None, "true": True, "false": False,
        "ints": [0, 255, 256, 65535, 65536, -1, 2**31 - 1, 2**31, -2**31, -2**31 - 1,
                 2**63 - 1, -2**63, 2**63, 2**64, -2**64, 2**2100, -2**2047],
        "floats": [0.0, -0.0, 1e300, float("inf"), float("nan")],
        "complex": 1.5 - 2j, "text": "größe \U0001f600", "long text": "x" * 100000,
        "bytes": bytes(range(256)), "bytearray": bytearray(b"\x00\xff"), "no bytes": b"",
        "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)], "set": {1, 2, 3}, "frozenset": frozenset(["x"]),
        "list": list(range(2500)), "ordered": nested, "again": nested, "dict": {i: str(i) for i in range(2000)},
        7: "a key that is an int", "model": {"w": ("conv2d_0.w_0", a), "list": [a, (a, a)]},
        "LR_Scheduler": {"last_epoch": 3, "last_lr": np.float64(0.01)},
    }


def numpy2():
    """Names the functions of numpy as numpy 2 does."""
    if np.__version__ >= "2":
        return
    for name in ("multiarray", "numeric"):
        module = sys.modules["numpy.core." + name]
        sys.modules["numpy._core." + name] = module
        for f in ("_reconstruct", "scalar", "_frombuffer"):
            if hasattr(module, f):
                getattr(module, f).__module__ = "numpy._core." + name


def split(d, limit):
    """What paddle.save does in protocols 2 and 3 with arrays of more than limit elements."""
    out, info = {}, {}
    for k, v in d.items():
        if v.size <= limit:
            out[k] = v
            continue
        parts = [v.flatten()[i:i + limit] for i in range(0, v.size, limit)]
        info[k] = {"OriginShape": v.shape, "slices": [f"{k}@@.{i}" for i in range(len(parts))]}
        out.update(zip(info[k]["slices"], parts))
    out["UnpackBigParamInfor@@"] = info
    return out


class Eval:
    """A LoDTensor as paddle.save reduces it."""

    def __init__(self, a):
        self.a = a

    def __reduce__(self):
        return eval, ("data", {"data": self.a})


def main(folder):
    d = arrays()
    contents = {
        "arrays": d, "values": values(d["float32"]), "split": split({k: d[k] for k in TYPES}, 10),
        "lod": {"x": Eval(d["float32"])}, "one": ("linear_0.w_0", d["int8"]), "array": d["int8"],
        "list of arrays": [d["int8"], d["float64"]], "empty": {},
    }
    for name, c in contents.items():
        for protocol in (2, 3, 4, 5):
            write(folder, f"{name}-{protocol}", c, protocol)
    numpy2()
    for protocol in (2, 3, 4, 5):
        write(folder, f"numpy2-{protocol}", d, protocol)


def write(folder, name, content, protocol):
    path = os.path.join(folder, name + ".pdparams")
    with open(path, "wb") as f:
        pickle.dump(content, f, protocol)
    print(path)


main(sys.argv[1])
