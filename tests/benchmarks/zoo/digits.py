"""The studio's own sample: handwritten digits."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy

from studio.settings import resource
from tests.benchmarks.zoo import arrays

_COUNT = 200


def make(folder: Path) -> None:
    """Copy the model and its calibration data; some of the held-out ones with their labels."""
    sample = resource("samples", "digits")
    shutil.copyfile(sample / "digits.onnx", folder / "model.onnx")
    for name in ("calibration", "heldout"):
        with numpy.load(sample / f"{name}.npz") as opened:
            images, labels = opened["image"], opened.get("labels", numpy.zeros(0))
        arrays.write(folder / name, ({"image": one[None]} for one in images[:_COUNT]))
        numpy.save(folder / f"{name}.labels.npy", labels[:_COUNT])


def right(folder: Path, outputs: Sequence[Mapping[str, Any]], _: object) -> float:
    """Share of the samples whose most likely class is the label."""
    labels = numpy.load(folder / "heldout.labels.npy")
    found = [int(next(iter(one.values())).argmax()) for one in outputs]
    return float((labels == found).mean())
