"""Small models and bundles whose answers can be computed by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from tests.unit.runtime.serve.rig import save_model

VALUE = helper.make_tensor_value_info
FLOAT = TensorProto.FLOAT


def doubled(path: Path, rows: Any = "n", columns: int = 3) -> Path:
    """``y = 2 x``: one input, one output."""
    return save_model(
        path,
        [helper.make_node("Mul", ["x", "two"], ["y"])],
        [VALUE("x", FLOAT, [rows, columns])],
        [VALUE("y", FLOAT, [rows, columns])],
        initializer=[numpy_helper.from_array(np.float32([2]), "two")],
    )


def sum_and_name(path: Path) -> Path:
    """``total = a + b`` and ``echo = name``: several inputs and outputs, one of strings."""
    return save_model(
        path,
        [
            helper.make_node("Add", ["a", "b"], ["total"]),
            helper.make_node("Identity", ["name"], ["echo"]),
        ],
        [
            VALUE("a", FLOAT, ["n"]),
            VALUE("b", FLOAT, ["n"]),
            VALUE("name", TensorProto.STRING, ["n"]),
        ],
        [VALUE("total", FLOAT, ["n"]), VALUE("echo", TensorProto.STRING, ["n"])],
    )


def echo(path: Path) -> Path:
    """``y = x``, both strings."""
    return save_model(
        path,
        [helper.make_node("Identity", ["x"], ["y"])],
        [VALUE("x", TensorProto.STRING, ["n"])],
        [VALUE("y", TensorProto.STRING, ["n"])],
    )


def brightness(path: Path) -> Path:
    """Scores of dark and bright from a grey picture of 4 x 4: its mean, twice."""
    return save_model(
        path,
        [
            helper.make_node("ReduceMean", ["image"], ["mean"], axes=[1, 2, 3], keepdims=0),
            helper.make_node("Sub", ["one", "mean"], ["dark"]),
            helper.make_node("Unsqueeze", ["mean", "axis"], ["bright2"]),
            helper.make_node("Unsqueeze", ["dark", "axis"], ["dark2"]),
            helper.make_node("Concat", ["dark2", "bright2"], ["scores"], axis=1),
        ],
        [VALUE("image", FLOAT, ["n", 1, 4, 4])],
        [VALUE("scores", FLOAT, ["n", 2])],
        initializer=[
            numpy_helper.from_array(np.float32([1]), "one"),
            numpy_helper.from_array(np.int64([1]), "axis"),
        ],
    )


BOX = (8.0, 4.0, 24.0, 12.0)
"""Left, top, right, bottom of what the detector finds, in pixels of its input."""


def detector(path: Path) -> Path:
    """One box of class 1 in every picture of 32 x 32, in the form of YOLOv8 with two classes."""
    left, top, right, bottom = BOX
    table = np.zeros((1, 6, 21), np.float32)
    table[0, :4, 5] = [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top]
    table[0, 5, 5] = 0.75
    return save_model(
        path,
        [
            helper.make_node("ReduceMean", ["image"], ["mean"], axes=[1, 2, 3], keepdims=0),
            helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
            helper.make_node("Add", ["table", "nothing"], ["output0"]),
        ],
        [VALUE("image", FLOAT, [1, 3, 32, 32])],
        [VALUE("output0", FLOAT, [1, 6, 21])],
        initializer=[
            numpy_helper.from_array(np.float32([0]), "zero"),
            numpy_helper.from_array(table, "table"),
        ],
    )


BOXES = ((8.0, 4.0, 24.0, 12.0), (2.0, 14.0, 10.0, 30.0))
"""Boxes of what the segmenter finds, in pixels of its input."""


def segmenter(path: Path) -> Path:
    """Two objects in every picture of 32 x 32, as boxes, scores, classes and masks of 4 x 4.

    The right half of each box is the object.
    """
    masks = np.zeros((2, 1, 4, 4), np.float32)
    masks[:, :, :, 2:] = 1.0
    known = {
        "boxes": np.float32(BOXES),
        "scores": np.float32([0.75, 0.5]),
        "classes": np.float32([1, 0]),
        "masks": masks,
    }
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
    ]
    nodes += [helper.make_node("Add", [f"the_{one}", "nothing"], [one]) for one in known]
    constants = [numpy_helper.from_array(one, f"the_{name}") for name, one in known.items()]
    return save_model(
        path,
        nodes,
        [VALUE("image", FLOAT, [1, 3, 32, 32])],
        [VALUE(name, FLOAT, list(one.shape)) for name, one in known.items()],
        initializer=[numpy_helper.from_array(np.float32(0), "zero"), *constants],
    )


PREPROCESS = {"resize": "stretch", "height": 4, "width": 4, "antialias": True, "color": "GRAY"}


def bundle(folder: Path, model: Path, **more: Any) -> Path:
    """A bundle of a model, with labels where they are given as a list."""
    folder.mkdir(parents=True)
    labels = more.pop("labels", None)
    manifest = {
        "format": 1,
        "name": model.stem,
        "version": 1,
        "counter": 1,
        "model": {"file": "model.onnx", "format": "onnx", "precision": "fp32"},
        "golden": {"count": 0, "rtol": 1e-3, "atol": 1e-4},
        "labels": "labels.txt" if labels else None,
        **more,
    }
    (folder / "model.onnx").write_bytes(model.read_bytes())
    if labels:
        (folder / "labels.txt").write_text("\n".join(labels) + "\n")
    raw = json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    (folder / "manifest.json").write_bytes(raw)
    return folder
