"""Files of weights whose headers lie: safetensors, GGUF, HDF5."""

from __future__ import annotations

import json
import struct
from typing import Any

from tests.e2e.hostile_files.kinds import ESCAPES, Hostile, written

_HDF5 = b"\x89HDF\r\n\x1a\n"
_MOST = (1 << 64) - 1


def _tensors(header: str, data: bytes = bytes(16), length: int | None = None) -> bytes:
    encoded = header.encode()
    return struct.pack("<Q", len(encoded) if length is None else length) + encoded + data


def _tensor(begin: Any, end: Any, shape: Any = (2, 2), dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def _gguf(tensors: int, values: int, more: bytes = b"", version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, values) + more


def _text(length: int, content: bytes = b"") -> bytes:
    return struct.pack("<Q", length) + content


_NEST = struct.pack("<IQ", 9, 1)
"""An array of one array, of GGUF."""


def _hdf5(root: int) -> bytes:
    """Return a super block whose addresses lie."""
    sizes = bytes([0, 0, 0, 0, 0, 8, 8, 0]) + struct.pack("<HHI", 4, 16, 0)
    return _HDF5 + sizes + struct.pack("<QQQQ", 0, _MOST, 1 << 62, _MOST) + struct.pack("<Q", root)


_HEADERS = {
    "negative offsets": json.dumps({"w": _tensor(-8, -1)}),
    "overlapping tensors": json.dumps({"a": _tensor(0, 16), "b": _tensor(8, 16)}),
    "doubled keys": '{"w": 1, "w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}',
    "a deep nest": '{"w":' * 100_000 + "1" + "}" * 100_000,
    "numbers that are none": '{"w": {"dtype": "F32", "shape": [NaN, 1e999], "data_offsets": [0]}}',
    "shapes without end": json.dumps({"w": _tensor(0, 16, [1 << 62] * 500)}),
    "names that a terminal obeys": json.dumps({ESCAPES: _tensor(0, 16, dtype=ESCAPES)}),
}

FILES = (
    *(
        Hostile(
            f"safetensors with {name}",
            written("model.safetensors", _tensors(header)),
            "is a file of weights (safetensors)",
        )
        for name, header in _HEADERS.items()
    ),
    Hostile(
        "safetensors of a huge header",
        written("model.safetensors", _tensors("{}", length=_MOST)),
        "is not a model in a known format",
    ),
    Hostile(
        "GGUF of many tensors",
        written("model.gguf", _gguf(_MOST, 0)),
        "tensors, and at most 200,000 are read",
        code=4,
    ),
    Hostile(
        "GGUF of many values",
        written("model.gguf", _gguf(0, _MOST, _text(_MOST))),
        "keys, and at most 20,000 are read",
        code=4,
    ),
    Hostile(
        "GGUF of nested arrays",
        written("model.gguf", _gguf(0, 1, _text(1, b"k") + _NEST * 50_000)),
        "has lists of more than 8,000,000 items",
        code=4,
    ),
    Hostile(
        "GGUF of no version",
        written("model.gguf", _gguf(1, 1, version=0xFFFFFFFF)),
        "is a GGUF file of version 4294967295",
    ),
    Hostile("HDF5 that is cut", written("model.h5", _HDF5), "is an HDF5 file"),
    Hostile("HDF5 whose root is nowhere", written("model.h5", _hdf5(1 << 60)), "is an HDF5 file"),
)
