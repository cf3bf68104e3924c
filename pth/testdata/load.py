"""Reads the file that python_test.go wrote, with torch.load as it is and with
weights_only, and prints a line of JSON: name, dtype, shape, SHA-256 of each
tensor, and whether each storage begins at a multiple of 64 bytes in the file."""
import hashlib
import json
import sys
import zipfile

import torch


def facts(state):
    out = []
    for k, v in state.items():
        raw = v.view(torch.int16) if v.dtype == torch.bfloat16 else v
        assert v.is_contiguous()
        out.append([k, str(v.dtype).replace("torch.", ""), list(v.shape), hashlib.sha256(raw.numpy().tobytes()).hexdigest()])
    return out


path = sys.argv[1]
loaded = facts(torch.load(path))
assert loaded == facts(torch.load(path, weights_only=True))
with open(path, "rb") as f:
    raw = f.read()
aligned = True
for e in zipfile.ZipFile(path).infolist():
    n, extra = (int.from_bytes(raw[e.header_offset + at:e.header_offset + at + 2], "little") for at in (26, 28))
    aligned = aligned and (e.header_offset + 30 + n + extra) % 64 == 0
assert zipfile.ZipFile(path).testzip() is None
print(json.dumps({"tensors": loaded, "aligned": aligned}))
