"""Prints, for each pickle named, what Python finds in it: a JSON line with its
tensors (name, parameter name, type, shape, SHA-256 of the little-endian C-order
bytes) and its other values, and whether Python would pickle it the same."""
import hashlib
import json
import pickle
import struct
import sys

import numpy as np

if np.__version__ < "2":  # know the names of numpy 2
    for module in ("multiarray", "numeric"):
        sys.modules["numpy._core." + module] = sys.modules["numpy.core." + module]
    sys.modules["numpy._core"] = sys.modules["numpy.core"]

NAMES = "StructuredToParameterName@@"
SPLIT = "UnpackBigParamInfor@@"


def tensor(name, param, a):
    data = np.ascontiguousarray(a).astype(a.dtype.newbyteorder("<")).tobytes()
    return {"name": name, "param": param, "type": a.dtype.newbyteorder("=").name,
            "shape": list(a.shape), "sha256": hashlib.sha256(data).hexdigest()}


def text(path, v, out):
    """v as text; arrays go to out."""
    if isinstance(v, np.generic):
        v = v.item()
    if isinstance(v, np.ndarray):
        out.append(tensor(path, "", v))
        return "@" + path
    if isinstance(v, tuple) and len(v) == 2 and isinstance(v[0], str) and isinstance(v[1], np.ndarray):
        out.append(tensor(path, v[0], v[1]))
        return "@" + path
    if v is None or isinstance(v, (bool, int)):
        return str(v)
    if isinstance(v, float):
        return "f" + struct.pack(">d", v).hex()
    if isinstance(v, complex):
        return "c" + struct.pack(">dd", v.real, v.imag).hex()
    if isinstance(v, str):
        return "s" + v.encode().hex()
    if isinstance(v, (bytes, bytearray)):
        return "b" + v.hex()
    if isinstance(v, dict):
        return "{" + ", ".join(text("", k, out) + ": " + text(join(path, k), x, out) for k, x in v.items()) + "}"
    items = [text(join(path, i), x, out) for i, x in enumerate(v)]
    if isinstance(v, (set, frozenset)):
        return "set(" + ", ".join(sorted(items)) + ")"
    return ("(%s)" if isinstance(v, tuple) else "[%s]") % ", ".join(items)


def join(path, key):
    return f"{path}/{key}" if path else str(key)


def unsplit(d):
    """What paddle.load does about tensors in parts."""
    for name, info in d.pop(SPLIT, {}).items():
        parts = [d.pop(p) for p in info["slices"]]
        d[name] = np.concatenate(parts).reshape(info["OriginShape"])


def describe(path):
    data = open(path, "rb").read()
    d = pickle.loads(data, encoding="latin1")
    same = pickle.dumps(d, data[1]) == data
    if not isinstance(d, dict):
        d = {"": d}
    unsplit(d)
    table = d.pop(NAMES, {})
    tensors, values = [], []
    for k, v in d.items():
        t = text(str(k), v, tensors)
        if not t.startswith("@"):
            values.append(text("", k, []) + ": " + t)
    for t in tensors:
        t["param"] = table.get(t["name"], t["param"])
    return {"tensors": tensors, "values": "{" + ", ".join(values) + "}", "same": same}


for p in sys.argv[1:]:
    print(json.dumps(describe(p)))
