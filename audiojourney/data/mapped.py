"""Tensors of a safetensors file as memory-mapped arrays: nothing is read before it is used."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

_TYPES = {"U8": np.uint8, "I8": np.int8, "F16": np.float16, "F32": np.float32, "I64": np.int64}


def map_tensors(path: Path) -> dict[str, np.ndarray]:
    """Map the tensors of `path` by name.

    The format is 8 bytes of header length, a JSON header with type, shape and offsets, then the bytes.
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    tensors: dict[str, np.ndarray] = {}
    for name, facts in header.items():
        if name != "__metadata__":
            offset = 8 + length + facts["data_offsets"][0]
            tensors[name] = np.memmap(path, _TYPES[facts["dtype"]], "r", offset, tuple(facts["shape"]))
    return tensors
