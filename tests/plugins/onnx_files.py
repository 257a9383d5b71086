"""ONNX files that the tests of the format write: small, large, and wrong on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper


def floats(name: str, shape: Sequence[int | str | None]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def model(
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
    constants: Sequence[onnx.TensorProto] = (),
    **more: object,
) -> onnx.ModelProto:
    graph = helper.make_graph(nodes, "graph", inputs, outputs, constants)
    more.setdefault("opset_imports", [helper.make_opsetid("", 17)])
    return helper.make_model(graph, **more)


def save(proto: onnx.ModelProto, path: Path) -> Path:
    path.write_bytes(proto.SerializeToString())
    return path


def classifier(path: Path, width: int = 8) -> Path:
    """Conv, Relu, pooling, Gemm: a small classifier with weights of its own."""
    random = numpy.random.default_rng(0)
    constants = [
        numpy_helper.from_array(random.random((width, 3, 3, 3), numpy.float32), "w"),
        numpy_helper.from_array(random.random((10, width), numpy.float32), "g"),
        numpy_helper.from_array(random.random(10, numpy.float32), "b"),
    ]
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "conv", kernel_shape=[3, 3], pads=[1] * 4),
        helper.make_node("Relu", ["c"], ["r"], "relu"),
        helper.make_node("GlobalAveragePool", ["r"], ["p"], "pool"),
        helper.make_node("Flatten", ["p"], ["f"], "flat"),
        helper.make_node("Gemm", ["f", "g", "b"], ["y"], "gemm", transB=1),
    ]
    inputs, outputs = [floats("x", ["N", 3, 16, 16])], [floats("y", ["N", 10])]
    return save(model(nodes, inputs, outputs, constants), path)


def chain(path: Path, count: int) -> Path:
    """A chain of Relu nodes."""
    nodes = [helper.make_node("Relu", [f"v{k}"], [f"v{k + 1}"]) for k in range(count)]
    return save(model(nodes, [floats("v0", [1, 4])], [floats(f"v{count}", [1, 4])]), path)


def external(
    path: Path,
    location: str,
    data: bytes | None = None,
    offset: str | None = None,
    length: str | None = None,
) -> Path:
    """A model that adds a tensor of 256 float32 kept in an external file."""
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[16, 16])
    tensor.data_location = TensorProto.EXTERNAL
    entries = {"location": location, "offset": offset, "length": length}
    for key, value in entries.items():
        if value is not None:
            tensor.external_data.add(key=key, value=value)
    if data is not None:
        place = path.parent / location
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    add = helper.make_node("Add", ["x", "w"], ["y"])
    return save(model([add], [floats("x", [16, 16])], [floats("y", [16, 16])], [tensor]), path)


def nested(path: Path, depth: int) -> Path:
    """If in If in If ...; written byte by byte, as protobuf refuses to build what is too deep."""
    identity = helper.make_node("Identity", ["x"], ["i"])
    output = floats("i", [1])
    leaf = helper.make_graph([identity], "leaf", [], [output]).SerializeToString()
    body = leaf
    for _ in range(depth):
        branches = b"".join(
            field(5, field(1, name) + field(6, graph) + b"\xa0\x01\x05")
            for name, graph in ((b"then_branch", body), (b"else_branch", leaf))
        )
        node = field(1, b"c") + field(2, b"i") + field(4, b"If") + branches
        body = field(1, node) + field(2, b"b") + field(12, output.SerializeToString())
    condition = helper.make_tensor_value_info("c", TensorProto.BOOL, [])
    for value in (floats("x", [1]), condition):
        body += field(11, value.SerializeToString())
    path.write_bytes(b"\x08\x08" + field(7, body) + field(8, b"\x10\x11"))
    return path


def wide_nest(path: Path, depth: int, width: int) -> Path:
    """If in If in If ..., with many nodes in each."""
    leaf = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["i"])], "e", [], [floats("i", [1])]
    )
    inner = leaf
    for level in range(depth):
        nodes = [helper.make_node("Relu", ["x"], [f"r{level}_{k}"]) for k in range(width)]
        branches = {"then_branch": inner, "else_branch": leaf}
        nodes.append(helper.make_node("If", ["c"], [f"o{level}"], **branches))
        inner = helper.make_graph(nodes, f"g{level}", [], [floats(f"o{level}", [1])])
    condition = helper.make_tensor_value_info("c", TensorProto.BOOL, [])
    inner.input.extend([floats("x", [1]), condition])
    opsets = [helper.make_opsetid("", 17)]
    return save(helper.make_model(inner, opset_imports=opsets, ir_version=9), path)


def field(number: int, content: bytes) -> bytes:
    """A length-delimited protobuf field."""
    size, length = bytearray(), len(content)
    while length > 0x7F:
        size.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([number << 3 | 2, *size, length]) + content


def endless_loop(path: Path) -> Path:
    """A Loop of 2^60 trips."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["go_on"]),
            helper.make_node("Add", ["s", "one"], ["t"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            floats("s", [1]),
        ],
        [helper.make_tensor_value_info("go_on", TensorProto.BOOL, []), floats("t", [1])],
    )
    constants = [
        numpy_helper.from_array(numpy.array(2**60, numpy.int64), "trips"),
        numpy_helper.from_array(numpy.array(True), "yes"),
        numpy_helper.from_array(numpy.ones(1, numpy.float32), "one"),
    ]
    loop = helper.make_node("Loop", ["trips", "yes", "x"], ["y"], "loop", body=body)
    return save(model([loop], [floats("x", [1])], [floats("y", [1])], constants), path)
