"""Graphs that lie: ONNX, TensorFlow, TFLite and OpenVINO IR."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from tests.e2e.hostile_files.kinds import ESCAPES, Hostile, Make, Payload, written

_LEVELS = 3000
_VALUE = helper.make_tensor_value_info


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _model(graph: bytes) -> bytes:
    return b"\x08\x08" + _field(7, graph)


def _nest(levels: int) -> bytes:
    """Return a graph in a node of a graph, again and again, without recursion."""
    parts, size = [], 0
    for _ in range(levels):
        head = b""
        for number in (6, 5, 1):  # the graph of an attribute, of a node, of a graph
            head = _varint(number << 3 | 2) + _varint(size + len(head)) + head
        parts.append(head)
        size += len(head)
    return b"".join(reversed(parts))


def _saved(graph: onnx.GraphProto) -> bytes:
    opset = helper.make_opsetid("", 17)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
    return bytes(model.SerializeToString())


def _product(tensor: onnx.TensorProto) -> bytes:
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    values = [_VALUE(name, TensorProto.FLOAT, [1, 16]) for name in "xy"]
    return _saved(helper.make_graph([node], "g", values[:1], values[1:], [tensor]))


def _huge_weights() -> bytes:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1 << 62] * 8)
    tensor.raw_data = bytes(64)
    return _product(tensor)


def _negative_weights() -> bytes:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[-16, -16])
    tensor.raw_data = bytes(1024)
    return _product(tensor)


def _many_axes() -> bytes:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1 << 62] * 400)
    tensor.raw_data = bytes(64)
    return _product(tensor)


def _long_name() -> bytes:
    node = helper.make_node("Relu", ["n" * 3_000_000], ["y"])
    values = [_VALUE(name, TensorProto.FLOAT, [1]) for name in "xy"]
    return _saved(helper.make_graph([node], "g", values[:1], values[1:]))


def _external(location: str, target: str = "", length: int = 1024, offset: int = 0) -> Make:
    """Return a maker of a model whose weights are elsewhere; with a target, behind a link."""

    def make(folder: Path, payload: Payload) -> Path:
        tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[16, 16])
        tensor.data_location = TensorProto.EXTERNAL
        facts = {"location": location, "length": str(length), "offset": str(offset)}
        for key, value in facts.items():
            entry = tensor.external_data.add()
            entry.key, entry.value = key, value
        if target == "pipe":
            os.mkfifo(folder / location)
        elif target:
            os.symlink(target, folder / location)
        path = folder / "model.onnx"
        path.write_bytes(_product(tensor))
        return path

    return make


def _ring() -> bytes:
    nodes = [helper.make_node("Add", ["b", "x"], ["a"]), helper.make_node("Relu", ["a"], ["b"])]
    values = [_VALUE(name, TensorProto.FLOAT, [1]) for name in "xb"]
    return _saved(helper.make_graph(nodes, "g", values[:1], values[1:]))


def _names() -> bytes:
    node = helper.make_node(ESCAPES, [ESCAPES], [ESCAPES + "y", "w"], domain=ESCAPES)
    value = _VALUE(ESCAPES, TensorProto.FLOAT, [ESCAPES, 1 << 62])
    return _saved(helper.make_graph([node], ESCAPES, [value], [_VALUE("missing", 1, [1])]))


def named_by_a_stranger() -> bytes:
    """Return a sound model whose names a terminal would obey."""
    node = helper.make_node("Relu", [ESCAPES], [f"{ESCAPES}y"], name=ESCAPES)
    values = [_VALUE(name, TensorProto.FLOAT, [1, 4]) for name in (ESCAPES, f"{ESCAPES}y")]
    return _saved(helper.make_graph([node], ESCAPES, values[:1], values[1:]))


def _flatbuffer(root: int, body: bytes = bytes(64)) -> bytes:
    return struct.pack("<I", root) + b"TFL3" + body


def _flatbuffer_ring() -> bytes:
    """Return a table whose fields all point at itself."""
    table = struct.pack("<HHHHHH", 12, 8, 4, 4, 4, 4) + struct.pack("<iI", 12, 0)
    return _flatbuffer(20, table + struct.pack("<I", 0xFFFFFFFC))


def _flatbuffer_vector() -> bytes:
    """Return a model whose list of sub-graphs has four thousand million of them."""
    fields = struct.pack("<HHHHHH", 12, 16, 4, 0, 8, 0)
    return _flatbuffer(20, fields + struct.pack("<iIII", 12, 3, 4, 0xFFFFFFFF) + bytes(64))


_LAYERS = """<layer id="0" name="w" type="Const" version="opset1">
<data element_type="f32" shape="{shape}" offset="{offset}" size="{size}"/>
<output><port id="0" precision="FP32"><dim>1</dim></port></output></layer>"""


def _ir(layers: str, before: str = "", weights: str | bytes = b"") -> Make:
    """Return a maker of an IR; a text as weights is the target of a link."""

    def make(folder: Path, payload: Payload) -> Path:
        path = folder / "model.xml"
        net = f'<net name="n" version="11"><layers>{layers}</layers><edges/></net>'
        path.write_text(f'<?xml version="1.0"?>\n{before}{net}')
        data = path.with_suffix(".bin")
        if isinstance(weights, str):
            os.symlink(weights, data)
        else:
            data.write_bytes(weights)
        return path

    return make


def _entities() -> str:
    lines = ['<!ENTITY a0 "aaaaaaaaaa">']
    lines += [f'<!ENTITY a{at} "{f"&a{at - 1};" * 10}">' for at in range(1, 12)]
    return f"<!DOCTYPE net [{''.join(lines)}]>"


_SECRET = '<!DOCTYPE net [<!ENTITY secret SYSTEM "file:///etc/passwd">]>'
_LAYER = '<layer id="0" name="{}" type="Result" version="opset1"/>'


def _folder_of(name: str, content: bytes) -> Make:
    def make(folder: Path, payload: Payload) -> Path:
        path = folder / "saved"
        path.mkdir()
        (path / name).write_bytes(content)
        return path

    return make


def _onnx(content: Callable[[], bytes] | bytes) -> Make:
    return written("model.onnx", content if isinstance(content, bytes) else content())


_LYING = _field(1, _varint(_LEVELS)) + b"\x0a\xff\xff\xff\xff\x0f"
_TEN_BYTES = b"\xff" * 9 + b"\x01"

FILES = (
    Hostile(
        "ONNX of nested graphs",
        _onnx(_model(_nest(_LEVELS))),
        "nests sub-graphs deeper than 32 levels",
        4,
    ),
    Hostile(
        "ONNX of groups in groups", _onnx(b"\x08\x08" + b"\x3b" * 100_000), "is not an ONNX model"
    ),
    Hostile(
        "ONNX with a length of 2^64", _onnx(b"\x08\x08\x3a" + _TEN_BYTES + bytes(99)), "is cut off"
    ),
    Hostile(
        "ONNX with an endless number",
        _onnx(b"\x08\x08\x08" + b"\xff" * 4096),
        "is not an ONNX model",
    ),
    Hostile(
        "ONNX of empty nodes",
        _onnx(_model(b"\x0a\x00" * 3_000_000)),
        "has more than 2,000,000 nodes",
        4,
    ),
    Hostile("ONNX with 2^496 weights", _onnx(_huge_weights), "a shape of more than 2^63 bytes"),
    Hostile("ONNX with negative sizes", _onnx(_negative_weights), "a negative size"),
    Hostile("ONNX of 400 axes", _onnx(_many_axes), "a shape of more than 2^63 bytes"),
    Hostile("ONNX with a name of megabytes", _onnx(_long_name), "is read, but nothing produces it"),
    Hostile("ONNX in a ring", _onnx(_ring), "has a cycle"),
    Hostile(
        "ONNX with names that a terminal obeys", _onnx(_names), "is read, but nothing produces it"
    ),
    Hostile("external data in /etc", _external("/etc/passwd", length=16), "outside its folder", 4),
    Hostile(
        "external data above",
        _external("../../../../etc/passwd", length=16),
        "outside its folder",
        4,
    ),
    Hostile(
        "external data behind a link",
        _external("w.bin", "/etc/passwd", 16),
        "a link that leads outside",
        4,
    ),
    Hostile(
        "external data of a device", _external("w.bin", "/dev/zero"), "a link that leads outside", 4
    ),
    Hostile("external data of a pipe", _external("w.bin", "pipe"), "is not a regular file", 4),
    Hostile(
        "external data beyond the end",
        _external("model.onnx", offset=1 << 62),
        "lies behind the end",
    ),
    Hostile(
        "external data in a name that lies",
        _external("w\x1b[2J\n.bin"),
        "is missing beside the model",
    ),
    Hostile(
        "SavedModel that lies", _folder_of("saved_model.pb", _LYING), "is a TensorFlow SavedModel"
    ),
    Hostile("graph of TensorFlow that lies", written("model.pb", _LYING), "is a TensorFlow graph"),
    Hostile(
        "TFLite whose root is nowhere",
        written("m.tflite", _flatbuffer(0xFFFFFFFF)),
        "points outside of itself",
    ),
    Hostile("TFLite in a ring", written("m.tflite", _flatbuffer_ring()), "holds no graph"),
    Hostile(
        "TFLite with a huge vector",
        written("m.tflite", _flatbuffer_vector()),
        "points outside of itself",
    ),
    Hostile(
        "IR of entities",
        _ir(_LAYER.format("&a11;"), _entities()),
        "declares a document type or entities",
        4,
    ),
    Hostile(
        "IR with a file as entity",
        _ir(_LAYER.format("&secret;"), _SECRET),
        "declares a document type or entities",
        4,
    ),
    Hostile("IR of nested parts", _ir("<layer>" * 50_000), "nests its elements deeper", 4),
    Hostile(
        "IR whose weights are a link",
        _ir(_LAYERS.format(shape="4", offset=0, size=16), weights="/etc/passwd"),
        "is a link that leads outside its folder",
        4,
    ),
    Hostile(
        "IR with weights beyond the end",
        _ir(_LAYERS.format(shape="4", offset=10**17, size=16), weights=bytes(16)),
        "lies behind the end",
    ),
    Hostile(
        "IR with weights of a negative place",
        _ir(_LAYERS.format(shape="4,-4", offset=-16, size=-16), weights=bytes(16)),
        "does not say its shape, place and size",
    ),
)
