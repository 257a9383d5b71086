"""A small app for tests: bright boxes that move in lanes, found by a model of a few operators."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from studio.packages.bundle import Bundle
from studio.packages.work import package
from tests.rigs.bundles import QuietJob, package_options, reference

HEIGHT, WIDTH, LANES = 64, 160, 4
FPS = 20.0
_BOX = 12
_SPEED = 4
"""Pixels a frame."""

_TOML = """\
name = "lanes"
title = "Bright boxes"
{top}
[variables]
FILM = "film.avi"
[models.detector]
file = "detector/model.onnx"
[sources.camera]
type = "video"
path = "${{FILM}}"
fps = {fps}
{source}
[steps.boxes]
type = "detect"
input = "camera"
model = "detector"
{detect}
[steps.tracks]
type = "track"
input = "boxes"
confirm = 1
[steps.gate]
type = "line"
input = "tracks"
start = {start}
end = {end}
names = ["left", "right"]
[sinks.log]
type = "file"
input = "gate"
path = "events.jsonl"
[test]
expected = "expected.jsonl"
{more}
"""


def lane_detector(path: Path, lanes: int = LANES) -> Path:
    """Write a model: the box of what is bright in each lane of a picture, lanes x 6.

    Its input is 1 x 3 x HEIGHT x WIDTH from 0 to 1; left, top, right, bottom, score, class are its
    output.
    """
    value = helper.make_tensor_value_info
    step = HEIGHT // lanes
    nodes, boxes = [], []

    def node(kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    constants = {
        "half": np.float32(0.5),
        "columns": np.arange(WIDTH, dtype=np.float32).reshape(1, WIDTH),
        "rows": np.arange(step, dtype=np.float32).reshape(step, 1),
        "far": np.float32(1e4),
        "one": np.float32([1.0]),
        "whole": np.int64([-1]),
        "both": np.int64([0, 1]),
        "zero": np.float32([0.0]),
    }
    node("ReduceMean", ["image"], "grey", axes=[0, 1], keepdims=0)
    node("Greater", ["grey", "half"], "bright")
    for lane in range(lanes):
        name = f"lane{lane}_"
        for key, number in (("begin", lane * step), ("end", (lane + 1) * step)):
            constants[name + key] = np.int64([number])
        constants[name + "axis"] = np.int64([0])
        constants[name + "top"] = np.float32(lane * step)
        part = node("Slice", ["bright", name + "begin", name + "end", name + "axis"], name + "part")
        sides = []
        for axis in ("columns", "rows"):
            low = node("Where", [part, axis, "far"], name + axis + "_low")
            least = node("ReduceMin", [low], name + axis + "_min", keepdims=0)
            dark = node("Neg", ["far"], name + axis + "_dark")
            high = node("Where", [part, axis, dark], name + axis + "_high")
            most = node("ReduceMax", [high], name + axis + "_max", keepdims=0)
            sides.append((least, most))
        (left, right), (top, bottom) = sides
        top = node("Add", [top, name + "top"], name + "y1")
        bottom = node("Add", [bottom, name + "top"], name + "y2")
        light = node("Cast", [part], name + "light", to=TensorProto.FLOAT)
        score = node("ReduceMax", [light], name + "score", keepdims=0)
        columns = [
            node("Reshape", [node("Mul", [one, score], f"{one}_seen"), "whole"], f"{one}_flat")
            for one in (left, top, right, bottom, score)
        ]
        boxes.append(node("Concat", [*columns, "zero"], name + "box", axis=0))
    constants["table"] = np.int64([1, lanes, 6])
    node("Concat", boxes, "flat", axis=0)
    node("Reshape", ["flat", "table"], "boxes")
    graph = helper.make_graph(
        nodes,
        "lanes",
        [value("image", TensorProto.FLOAT, [1, 3, HEIGHT, WIDTH])],
        [value("boxes", TensorProto.FLOAT, [1, lanes, 6])],
        [numpy_helper.from_array(np.asarray(one), name) for name, one in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


class Scene:
    """Boxes that run to the right or to the left, for as long as frames are wanted.

    Each lane has one box at a time, which turns up at an edge. The line stands in the middle.
    """

    def __init__(self, seed: int = 0) -> None:
        self._chance = np.random.default_rng(seed)
        self._boxes = [_new(self._chance, -int(self._chance.integers(0, 30))) for _ in range(LANES)]
        self._number = 0

    def next(self) -> tuple[np.ndarray, list[str]]:
        """Return the next picture, and the directions of the crossings in it."""
        number = self._number
        self._number += 1
        pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        crossings = []
        for lane, (ahead, begin) in enumerate(self._boxes):
            x = _place(ahead, number - begin)
            middle, before = x + _BOX / 2, x + _BOX / 2 - (_SPEED if ahead else -_SPEED)
            if (before < WIDTH / 2) != (middle < WIDTH / 2) and number > begin:
                crossings.append("right" if ahead else "left")
            if number > begin and not -_BOX < x < WIDTH:
                self._boxes[lane] = _new(self._chance, number + int(self._chance.integers(5, 30)))
                continue
            if number >= begin:
                top = lane * (HEIGHT // LANES) + 2
                pixels[top : top + _BOX, max(0, x) : max(0, x + _BOX)] = 255
        return pixels, crossings


def film(path: Path, frames: int = 200, seed: int = 0, fps: float = FPS) -> list[dict[str, Any]]:
    """Write a film of a scene; return its true crossings."""
    fourcc = cv2.VideoWriter_fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), fourcc, fps, (WIDTH, HEIGHT))
    assert writer.isOpened()
    scene, events = Scene(seed), []
    for number in range(frames):
        pixels, crossings = scene.next()
        writer.write(pixels)
        at = round(number / fps, 3)
        events += [{"kind": "crossing", "at_s": at, "direction": one} for one in crossings]
    writer.release()
    return events


def _new(chance: np.random.Generator, begin: int) -> tuple[bool, int]:
    return bool(chance.integers(0, 2)), begin


def _place(ahead: bool, age: int) -> int:
    return -_BOX + 1 + _SPEED * age if ahead else WIDTH - 1 - _SPEED * age


def make_app(
    folder: Path,
    *,
    frames: int = 200,
    seed: int = 0,
    top: str = "",
    source: str = "",
    detect: str = "",
    more: str = "",
    fps: float = FPS,
    line: float = WIDTH / 2,
) -> list[dict[str, Any]]:
    """Write the folder of an app with its film and its expected events; return these."""
    (folder / "detector").mkdir(parents=True)
    lane_detector(folder / "detector" / "model.onnx")
    (folder / "detector" / "preprocess.toml").write_text('resize = "none"\n')
    (folder / "detector" / "outputs.toml").write_text(
        'task = "detection"\nhead = "boxes"\nthreshold = 0.5\n'
    )
    (folder / "detector" / "labels.txt").write_text("box\n")
    events = film(folder / "film.avi", frames, seed, fps)
    lines = [json.dumps(one) + "\n" for one in events]
    (folder / "expected.jsonl").write_text("".join(lines))
    written = {"top": top, "source": source, "detect": detect, "more": more}
    ends = {"start": [line, HEIGHT], "end": [line, 0]}
    (folder / "app.toml").write_text(_TOML.format(fps=fps, **written, **ends))
    return events


def app_bundle(folder: Path, app: Path, version: int = 1, **options: Any) -> Bundle:
    """Package an app with its detector."""
    job = QuietJob(folder / f"job-{version}")
    model = reference(app / "detector" / "model.onnx", "detector")
    asked = package_options(model, version, samples=1, app=app, **options)
    return Bundle.open(Path(package(asked, job).bundle))


def part_names(document: Mapping[str, Any]) -> list[str]:
    """Return the names of all parts of an app's document."""
    return [one["name"] for group in ("sources", "steps", "sinks") for one in document[group]]
