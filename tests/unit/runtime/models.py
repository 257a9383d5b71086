"""Small ONNX models, generated."""

from __future__ import annotations

from pathlib import Path

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper


def make_cnn(path: Path, side: int = 16, channels: int = 8, seed: int = 0) -> Path:
    """Write conv, relu, conv, pool, gemm: 3 x side x side to 10 classes, symbolic batch."""
    chance = numpy.random.default_rng(seed)

    def weights(name: str, *shape: int) -> onnx.TensorProto:
        values = chance.normal(0, 0.2, shape).astype(numpy.float32)
        return numpy_helper.from_array(values, name)

    nodes = [
        helper.make_node("Conv", ["image", "w1", "b1"], ["c1"], "conv1", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c1"], ["r1"], "relu1"),
        helper.make_node("Conv", ["r1", "w2", "b2"], ["c2"], "conv2", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c2"], ["r2"], "relu2"),
        helper.make_node("GlobalAveragePool", ["r2"], ["pool"], "pool"),
        helper.make_node("Flatten", ["pool"], ["flat"], "flatten"),
        helper.make_node("Gemm", ["flat", "w3", "b3"], ["scores"], "head"),
    ]
    initializers = [
        weights("w1", channels, 3, 3, 3),
        weights("b1", channels),
        weights("w2", channels, channels, 3, 3),
        weights("b2", channels),
        weights("w3", channels, 10),
        weights("b3", 10),
    ]
    graph = helper.make_graph(
        nodes,
        "cnn",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, side, side])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", 10])],
        initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def make_cnn_versions(folder: Path, count: int = 2) -> list[Path]:
    """Files of one name, by which a registry knows them as one model."""
    paths = []
    for seed in range(1, count + 1):
        (folder / f"version-{seed}").mkdir(exist_ok=True)
        paths.append(make_cnn(folder / f"version-{seed}" / "cnn.onnx", seed=seed))
    return paths
