"""The metadata of a TFLite file: labels, the preparation of pictures, and who made it.

The metadata are a flatbuffer in a buffer of the file; label files are in a zip archive after its
end. Used by ``tool_lite.py``: the standard library and ``tool_flatbuffer.py`` alone.
"""

from __future__ import annotations

import importlib
import io
import math
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_flat: Any = importlib.import_module("tool_flatbuffer")

_NAME = "TFLITE_METADATA"
_MODEL, _METADATA = b"TFL3", b"M001"
_LABELS = (2, 3)
"""Types of associated files: labels of an axis, and of values."""

_PICTURE, _NORMALIZATION = 2, 1
_CHANNELS = (1, 3)
_COLORS = {1: "RGB", 2: "GRAY"}
_MOST_TEXT = 1 << 20
_MOST_LABELS = 100_000
_MOST_MEMBERS = 1000
_FIELDS = {"name": 0, "description": 1, "version": 2, "author": 4, "license": 5}
_DAMAGED = (
    *(ValueError, IndexError, OverflowError, EOFError, RuntimeError),
    *(struct.error, zipfile.BadZipFile, zlib.error),
)


@dataclass(frozen=True)
class Input:
    """The input that the metadata describe, as the tensor of the file has it.

    Attributes:
        shape: Sizes; channels are last in files of TensorFlow, and first in some of PyTorch.
        scale: Of a quantized one; 0 for any other.
    """

    shape: tuple[int, ...]
    dtype: str
    scale: float = 0.0
    zero: int = 0


def described(content: bytes, first: Input) -> dict[str, Any]:
    """Return ``labels``, ``preprocess`` and ``metadata``, those of them that are in the file.

    Damaged metadata are none: the model is whole without them.
    """
    try:
        return {key: value for key, value in _found(content, first).items() if value}
    except _DAMAGED:
        return {}


def _found(content: bytes, first: Input) -> dict[str, Any]:
    meta = _metadata(content)
    if meta is None:
        return {}
    graph = next(meta.tables(3), None)
    found = {"metadata": {key: meta.text(at)[:_MOST_TEXT] for key, at in _FIELDS.items()}}
    found["metadata"] = {key: text for key, text in found["metadata"].items() if text}
    if graph is None:
        return found
    tensor = next(graph.tables(2), None)
    settings = _preprocess(tensor, first) if tensor is not None else {}
    return {**found, "preprocess": settings, "labels": _labels(content, graph)}


def _metadata(content: bytes) -> Any:
    model = _flat.root(content, _MODEL)
    for entry in model.tables(6):
        if entry.text(0) == _NAME:
            buffers = list(model.tables(4))
            return _flat.root(buffers[int(entry.number(1, "<I"))].raw(0), _METADATA)
    return None


def _preprocess(tensor: Any, first: Input) -> dict[str, Any]:
    """Return the settings of ``docs/preprocessing.md`` for an input that is a picture."""
    content = tensor.table(3)
    if content is None or content.number(0, "<B") != _PICTURE or len(first.shape) != 4:
        return {}
    picture = content.table(1)
    is_first = first.shape[3] not in _CHANNELS and first.shape[1] in _CHANNELS
    channels, height, width = first.shape[1:] if is_first else (first.shape[3], *first.shape[1:3])
    size = picture.table(1) if picture is not None else None
    if size is not None:
        width = width if width > 0 else int(size.number(0, "<I"))
        height = height if height > 0 else int(size.number(1, "<I"))
    if not (0 < height < 1 << 16 and 0 < width < 1 << 16):
        return {}
    color = _COLORS.get(int(picture.number(0, "<b")) if picture is not None else 0)
    color = color or ("GRAY" if channels == 1 else "RGB")
    fit = {"resize": "stretch", "height": height, "width": width, "scale": 1.0}
    normal = _normalization(tensor, first)
    layout = "NCHW" if is_first else "NHWC"
    return {"color": color, **fit, **normal, "layout": layout, "dtype": first.dtype}


def _normalization(tensor: Any, first: Input) -> dict[str, list[float]]:
    """Return mean and deviation of the pixels, those of a quantized input in its own steps."""
    mean, deviation = [0.0], [1.0]
    for unit in tensor.tables(4):
        options = unit.table(1)
        if unit.number(0, "<B") == _NORMALIZATION and options is not None:
            mean = options.numbers(0, "<f") or mean
            deviation = options.numbers(1, "<f") or deviation
    count = max(len(mean), len(deviation))
    mean, deviation = (one * count if len(one) == 1 else one for one in (mean, deviation))
    sane = all(map(math.isfinite, mean)) and all(math.isfinite(one) and one for one in deviation)
    if len(mean) != len(deviation) or not sane:
        return {}
    if first.scale:
        pairs = zip(mean, deviation, strict=True)
        mean = [m - first.zero * first.scale * d for m, d in pairs]
        deviation = [one * first.scale for one in deviation]
    return {"mean": _rounded(mean), "std": _rounded(deviation)}


def _rounded(values: list[float]) -> list[float]:
    """Return the numbers as they were written before they became float32."""
    return [float(f"{one:.6g}") for one in values]


def _labels(content: bytes, graph: Any) -> list[str]:
    """Return the labels of the first output that has a file of them."""
    wanted = [
        file.text(0)
        for tensor in graph.tables(3)
        for file in tensor.tables(6)
        if file.number(2, "<b") in _LABELS
    ]
    members = dict(_members(content, wanted))
    for name in wanted:
        lines = [line.strip() for line in members.get(name, "").splitlines()]
        while lines and not lines[-1]:
            lines.pop()
        if 0 < len(lines) <= _MOST_LABELS:
            return lines
    return []


def _members(content: bytes, wanted: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the files of the archive by their names; none is ever written to a path."""
    if not wanted or not zipfile.is_zipfile(io.BytesIO(content)):
        return
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for about in archive.infolist()[:_MOST_MEMBERS]:
            if about.filename not in wanted:
                continue
            with archive.open(about) as member:
                found = member.read(_MOST_TEXT + 1)
            if len(found) <= _MOST_TEXT:
                yield about.filename, found.decode(errors="replace")


def signature(content: bytes) -> Mapping[str, Mapping[int, str]]:
    """Return the names of ``inputs`` and ``outputs`` by their tensors, of the only signature.

    Several signatures name the same graph, or others; then none is used.
    """
    found = [one for one in _flat.root(content, _MODEL).tables(7) if not one.number(4, "<I")]
    if len(found) != 1:
        return {"inputs": {}, "outputs": {}}
    return {
        key: {int(one.number(1, "<I")): one.text(0) for one in found[0].tables(at)}
        for key, at in (("inputs", 0), ("outputs", 1))
    }


def custom_operators(content: bytes) -> list[str]:
    """Return the names of the operators that are not TFLite's own."""
    found = (one.text(1) for one in _flat.root(content, _MODEL).tables(1))
    return [name for name in found if name]
