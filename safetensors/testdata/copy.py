"""Reads a file of tensors and writes it anew, names backwards. Arguments: the file,
the other one. With the package safetensors where it is installed, as far as
PyTorch has the types; else by the format's description, with numpy."""
import json
import struct
import sys

import numpy

try:
    import safetensors
    from safetensors.torch import save_file
except ImportError:
    safetensors = None

DTYPES = {"BOOL": "?", "U8": "u1", "U16": "<u2", "U32": "<u4", "U64": "<u8", "I8": "i1", "I16": "<i2", "I32": "<i4", "I64": "<i8",
          "F16": "<f2", "BF16": "<u2", "F32": "<f4", "F64": "<f8", "C64": "<c8"}


def with_library(src, dst):
    with safetensors.safe_open(src, framework="pt") as f:
        state = {k: f.get_tensor(k) for k in reversed(list(f.keys())) if k not in ("uint16", "uint32", "uint64", "complex64")}
    save_file(state, dst)


def by_description(src, dst):
    with open(src, "rb") as f:
        n, = struct.unpack("<Q", f.read(8))
        header = json.loads(f.read(n))
        data = f.read()
    assert (8 + n) % 8 == 0 and header.pop("__metadata__") == {"format": "pt"}
    out, parts, at = {}, [], 0
    for name, d in reversed(list(header.items())):
        begin, end = d["data_offsets"]
        assert begin % numpy.dtype(DTYPES[d["dtype"]]).itemsize == 0, name
        raw = numpy.frombuffer(data[begin:end], DTYPES[d["dtype"]]).reshape(d["shape"]).tobytes()
        out[name] = {"data_offsets": [at, at + len(raw)], "shape": d["shape"], "dtype": d["dtype"]}
        parts.append(raw)
        at += len(raw)
    text = json.dumps(out, indent=1).encode()
    with open(dst, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


(with_library if safetensors else by_description)(*sys.argv[1:])
