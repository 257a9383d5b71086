"""Magika, which tells types of files, and files of this system whose names tell theirs."""

from __future__ import annotations

import itertools
import json
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy

from tests.benchmarks.zoo import arrays
from tests.benchmarks.zoo.digits import right
from tests.benchmarks.zoo.wheels import MAGIKA

__all__ = ["make", "right"]

_MODEL = "magika/models/standard_v3_3"
_TYPES = {
    ".py": "python", ".html": "html", ".json": "json", ".c": "c", ".h": "c", ".xml": "xml",
    ".png": "png", ".jpg": "jpeg", ".so": "elf", ".whl": "zip", ".js": "javascript",
    ".css": "css", ".toml": "toml", ".svg": "svg", ".ttf": "ttf", ".gz": "gzip", ".md": "markdown",
    ".rst": "rst", ".pyc": "pythonbytecode", ".sh": "shell", ".npy": "npy", ".tcl": "tcl",
}  # fmt: skip
_EACH = 24
_BLOCK, _KEPT, _PADDING, _LEAST = 4096, 1024, 256, 64


def make(folder: Path) -> None:
    """Write the model, every third file for the calibration, the others to judge."""
    (folder / "model.onnx").write_bytes(MAGIKA.read(f"{_MODEL}/model.onnx"))
    classes = json.loads(MAGIKA.read(f"{_MODEL}/config.min.json"))["target_labels_space"]
    pairs = [(path, classes.index(kind)) for path, kind in _found() if kind in classes]
    parts = {"calibration": pairs[::3], "heldout": [p for i, p in enumerate(pairs) if i % 3]}
    for name, part in parts.items():
        arrays.write(folder / name, ({"bytes": _features(path)} for path, _ in part))
        numpy.save(folder / f"{name}.labels.npy", numpy.array([label for _, label in part]))


def _found() -> Iterator[tuple[Path, str]]:
    places = (Path(sysconfig.get_paths()["purelib"]), Path("/usr/share"), Path("/usr/lib"))
    for suffix, kind in _TYPES.items():
        matches = itertools.chain.from_iterable(place.rglob(f"*{suffix}") for place in places)
        good = (p for p in matches if p.is_file() and p.stat().st_size > _LEAST)
        yield from ((path, kind) for path in itertools.islice(good, _EACH))


def _features(path: Path) -> numpy.ndarray[Any, Any]:
    """The first and the last kilobyte without white space around, as Magika takes them."""
    content = path.read_bytes()
    begin = content[:_BLOCK].lstrip()[:_KEPT]
    end = content[-_BLOCK:].rstrip()[-_KEPT:]
    row = numpy.full(2 * _KEPT, _PADDING, numpy.int32)
    row[: len(begin)] = list(begin)
    if end:
        row[-len(end) :] = list(end)
    return row[None]
