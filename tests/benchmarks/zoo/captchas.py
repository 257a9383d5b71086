"""A reader of captchas with a residual network before an LSTM, and captchas for it."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
import onnx
from PIL import Image, ImageDraw

from tests.benchmarks.zoo import arrays
from tests.benchmarks.zoo.characters import LETTERS, character
from tests.benchmarks.zoo.wheels import CHARACTERS

Array = numpy.ndarray[Any, Any]

_SEED = 43
_COUNTS = {"calibration": 100, "heldout": 200}
_SIZE, _STEP = (160, 64), 32


def make(folder: Path) -> None:
    """Write the reader, its characters, the captchas and what stands in them."""
    _write_model(folder / "model.onnx")
    (folder / "characters.txt").write_text("\n".join(_characters()), encoding="utf-8")
    random = numpy.random.default_rng(_SEED)
    for name, count in _COUNTS.items():
        labels = ["".join(random.choice(list(LETTERS), 4)) for _ in range(count)]
        arrays.write(folder / name, ({"input1": _planes(text, random)} for text in labels))
        (folder / f"{name}.labels").write_text("\n".join(labels), encoding="utf-8")


def exact(folder: Path, outputs: Sequence[Mapping[str, Any]], _: object) -> float:
    """Share of the captchas that are read without a mistake, capital or small."""
    labels = (folder / "heldout.labels").read_text(encoding="utf-8").split("\n")
    known = (folder / "characters.txt").read_text(encoding="utf-8").split("\n")
    found = [_text(next(iter(one.values()))[:, 0], known) for one in outputs]
    return float(numpy.mean([a == b.upper() for a, b in zip(labels, found, strict=True)]))


def _write_model(path: Path) -> None:
    """Write the reader, whose output is declared with two axes and has three."""
    model = onnx.load_from_string(CHARACTERS.read("ddddocr/common.onnx"))
    output = model.graph.output[0]
    shape = ("steps", 1, len(_characters()))
    kind = onnx.TensorProto.FLOAT
    output.CopyFrom(onnx.helper.make_tensor_value_info(output.name, kind, shape))
    onnx.save(model, path)


def _characters() -> list[str]:
    """The table in the wheel's own code, of which nothing is executed."""
    source = ast.parse(CHARACTERS.read("ddddocr/charsets.py").decode("utf-8"))
    for statement in source.body:
        names = [ast.unparse(one) for one in getattr(statement, "targets", ())]
        if isinstance(statement, ast.Assign) and names == ["CHARSET_BETA"]:
            return [str(one) for one in ast.literal_eval(statement.value)]
    raise ValueError("the wheel has no table of characters")


def _planes(text: str, random: numpy.random.Generator) -> Array:
    """Grey values of turned characters on light paper with lines and specks."""
    picture = Image.new("L", _SIZE, int(random.integers(215, 256)))
    pen = ImageDraw.Draw(picture)
    for number, letter in enumerate(text):
        shape = character(letter, int(random.integers(34, 44)), random)
        left = 16 + _STEP * number + int(random.integers(-3, 4)) - (shape.width - _STEP) // 2
        top = (_SIZE[1] - shape.height) // 2 + int(random.integers(-5, 6))
        picture.paste(int(random.integers(0, 120)), (left, top), shape)
    for _ in range(3):
        ends = [tuple(random.integers(0, _SIZE).tolist()) for _ in range(2)]
        pen.line(ends, fill=int(random.integers(60, 180)), width=1)
    specks = random.normal(0, 8, (_SIZE[1], _SIZE[0]))
    pixels = numpy.clip(numpy.asarray(picture) + specks, 0, 255)
    return (pixels / 255).astype(numpy.float32)[None, None]


def _text(scores: Array, known: Sequence[str]) -> str:
    """The most likely characters; those that repeat and blanks are left out."""
    best = scores.argmax(axis=1)
    changed = numpy.flatnonzero(numpy.diff(best, prepend=-1))
    return "".join(known[index] for index in best[changed] if index)
