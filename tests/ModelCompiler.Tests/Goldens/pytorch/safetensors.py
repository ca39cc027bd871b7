"""Writes safetensors: a length, a JSON header, the numbers. Small enough to need no package."""
import json
import struct

import numpy


def write(path, tensors):
    """tensors: name -> torch tensor; floats are stored as float32, integers as int64."""
    header, data = {}, b""
    for name, tensor in tensors.items():
        array = tensor.detach().cpu().numpy()
        kind, dtype = ("F32", "<f4") if array.dtype.kind == "f" else ("I64", "<i8")
        raw = numpy.ascontiguousarray(array).astype(dtype).tobytes()
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
