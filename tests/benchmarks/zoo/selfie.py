"""MediaPipe's segmenter of people, and cuts of two photographs with one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
import onnx

from tests.benchmarks.zoo import arrays, lite_graph, scenes
from tests.benchmarks.zoo.wheels import MEDIAPIPE

Array = numpy.ndarray[Any, Any]

_MEMBER = "mediapipe/modules/selfie_segmentation/selfie_segmentation.tflite"
_SEED, _COUNTS = 59, {"calibration": 100, "heldout": 150}
_SIDE = 256
_PHOTOGRAPHS = ("astronaut.png", "astronaut.png", "camera.png")


def make(folder: Path) -> None:
    """Write the model and the cuts."""
    model = lite_graph.converted(MEDIAPIPE.read(_MEMBER), "selfie")
    onnx.save(model, folder / "model.onnx")
    name = model.graph.input[0].name
    random = numpy.random.default_rng(_SEED)
    for part, count in _COUNTS.items():
        arrays.write(folder / part, ({name: _cut(random)} for _ in range(count)))


def iou(_: Path, outputs: Sequence[Mapping[str, Any]], exact: Sequence[Mapping[str, Any]]) -> float:
    """Mean overlap of the masks with those of the float model."""
    return float(numpy.mean(list(map(_overlap, map(_mask, outputs), map(_mask, exact)))))


def _overlap(one: Array, other: Array) -> float:
    """Two empty masks are equal."""
    whole = (one | other).sum()
    return float((one & other).sum() / whole) if whole else 1.0


def _mask(outputs: Mapping[str, Any]) -> Array:
    return numpy.asarray(next(iter(outputs.values())) > 0.5)


def _cut(random: numpy.random.Generator) -> Array:
    """Planes of most of a photograph with the head, spoilt or mirrored now and then."""
    photograph = scenes.photograph(str(random.choice(_PHOTOGRAPHS)))
    edge = float(random.uniform(0.6, 1) * min(photograph.size))
    left = float(random.uniform(0, photograph.width - edge))
    top = float(random.uniform(0, (photograph.height - edge) / 4))
    small = photograph.resize((_SIDE, _SIDE), box=(left, top, left + edge, top + edge))
    pixels = scenes.spoil(numpy.asarray(small), random)
    pixels = pixels[:, ::-1] if random.random() < 0.5 else pixels
    planes = pixels.transpose(2, 0, 1)[None].astype(numpy.float32) / 255
    return numpy.ascontiguousarray(planes)
