"""The structure of an ONNX file (everything but its weights), and walks over it."""

from __future__ import annotations

import mmap
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from sys import intern

import onnx
from google.protobuf.message import DecodeError

from studio.api import InvalidModel, Limits, UnsafeModel
from studio_onnx.wire import Skimmer

_LARGE_STRUCTURE = 32 * 2**20
_LARGEST_STRUCTURE = 512 * 2**20
_KNOWN_STARTS = {
    b"PK\x03\x04": "a zip archive (a PyTorch checkpoint or a packed folder)",
    b"\x1f\x8b": "a gzip archive",
    b"\x80": "a Python pickle",
    b"\x89HDF": "an HDF5 file (Keras)",
    b"version https://git-lfs": "a Git LFS pointer: its content was never downloaded",
}


def load(path: Path, limits: Limits) -> onnx.ModelProto:
    """Parse a file without its weights; large tensors become references into it.

    Raises:
        InvalidModel: when the file is empty, a text, cut off, or otherwise no model.
        UnsafeModel: when it is beyond the limits.
    """
    size = _check_file(path, limits)
    with path.open("rb") as file, mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as data:
        _check_start(path.name, data[:512])
        skimmed = Skimmer(data, path.name, limits).skim()
    if len(skimmed) > _LARGEST_STRUCTURE:
        raise UnsafeModel(f"{path.name} has {len(skimmed):,} bytes that are not weights.")
    if len(skimmed) > _LARGE_STRUCTURE:
        # Small messages were not looked into: count what they hold before protobuf makes objects.
        Skimmer(skimmed, path.name, limits, keep=0).skim()
    return _parse(path.name, skimmed, limits)


def _check_file(path: Path, limits: Limits) -> int:
    try:
        status = path.stat()
    except FileNotFoundError:
        raise InvalidModel(
            f"No such file: {path.name}.",
            hint="Open the model again, or restore the file from a backup.",
            detail=str(path),
        ) from None
    except OSError as error:
        raise InvalidModel(f"{path} cannot be read: {error.strerror}.") from None
    if stat.S_ISDIR(status.st_mode):
        raise InvalidModel(f"{path.name} is a folder, not a model file.")
    if not stat.S_ISREG(status.st_mode):
        raise UnsafeModel(f"{path.name} is a device or a pipe, not a regular file.")
    if status.st_size == 0:
        raise InvalidModel(f"{path.name} is empty.", hint="Export or download the model again.")
    if status.st_size > limits.file_bytes:
        raise UnsafeModel(
            f"{path.name} has {status.st_size / 1e9:.1f} GB; "
            f"up to {limits.file_bytes / 1e9:.1f} GB are read.",
            hint="Save the model with its weights as external data.",
        )
    return status.st_size


def _check_start(name: str, start: bytes) -> None:
    """Name what people take for a model by mistake."""
    for magic, kind in _KNOWN_STARTS.items():
        if start.startswith(magic):
            raise InvalidModel(f"{name} is {kind}, not an ONNX model.")
    try:
        text = start.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(start) - 3:
            return
        text = start[: error.start].decode("utf-8")
    if text and all(char.isprintable() or char in "\t\r\n\f" for char in text):
        raise InvalidModel(
            f"{name} is a text file, not an ONNX model.",
            hint="It may be an error page saved by the browser; look at its first lines.",
        )


def _parse(name: str, skimmed: bytes, limits: Limits) -> onnx.ModelProto:
    model = onnx.ModelProto()
    try:
        model.ParseFromString(skimmed)
    except DecodeError as error:
        # protobuf refuses deep nesting with the same words as damage: look which one it is.
        Skimmer(skimmed, name, limits, keep=0).skim()
        raise InvalidModel(
            f"{name} is damaged: its content is not a valid ONNX model.", detail=str(error)
        ) from None
    if not model.HasField("graph"):
        raise InvalidModel(f"{name} holds no graph; it is not an ONNX model.")
    return model


class NoText(InvalidModel):
    """A name that is no UTF-8, which protobuf gives as bytes."""

    def __init__(self) -> None:
        super().__init__("The model is damaged: a name in it is no text in UTF-8.")


def blocks(node: onnx.NodeProto) -> Iterator[tuple[str, onnx.GraphProto]]:
    """Yield the sub-graphs of a node with their attribute's name."""
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH or attribute.HasField("g"):
            yield attribute.name, attribute.g
        for index, graph in enumerate(attribute.graphs):
            yield f"{attribute.name}[{index}]", graph


def graphs(model: onnx.ModelProto) -> Iterator[onnx.GraphProto]:
    """Yield the main graph and every sub-graph in it and in the functions."""
    yield from _graphs_below(model.graph)
    for function in model.functions:
        for node in function.node:
            for _, graph in blocks(node):
                yield from _graphs_below(graph)


def _graphs_below(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    yield graph
    for node in graph.node:
        if node.attribute:
            for _, block in blocks(node):
                yield from _graphs_below(block)


def nodes(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    """Yield every node, those of sub-graphs and functions included."""
    for graph in graphs(model):
        yield from graph.node
    for function in model.functions:
        yield from function.node


@dataclass(frozen=True, slots=True)
class WalkedModel:
    """All graphs and nodes of a model in lists, so that several looks at them are one walk.

    Attributes:
        operators: Domain and name of the operator of each node.
    """

    graphs: Sequence[onnx.GraphProto]
    nodes: Sequence[onnx.NodeProto]
    operators: Sequence[tuple[str, str]]

    @classmethod
    def through(cls, model: onnx.ModelProto) -> WalkedModel:
        """Walk through a model."""
        every = list(graphs(model))
        found = [node for graph in every for node in graph.node]
        for function in model.functions:
            found += function.node
        try:
            operators = [(intern(node.domain), intern(node.op_type)) for node in found]
        except TypeError:
            raise NoText from None
        return cls(every, found, operators)


def constants(model: onnx.ModelProto | WalkedModel) -> Iterator[onnx.TensorProto]:
    """Yield every constant tensor: initializers and the tensors among the attributes."""
    walked = model if isinstance(model, WalkedModel) else WalkedModel.through(model)
    for graph in walked.graphs:
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield from (sparse.values, sparse.indices)
    for node in walked.nodes:
        given = node.attribute
        if not given:
            continue
        for attribute in given:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            if attribute.HasField("sparse_tensor"):
                yield from (attribute.sparse_tensor.values, attribute.sparse_tensor.indices)
