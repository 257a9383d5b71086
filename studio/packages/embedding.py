"""An embedding as one more output of a model: eight principal axes of what its last layer sees.

The nodes are written on the wire behind those of the model, which stays as it is byte for byte:
a mean over places, a product with the axes, and their offset.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy

from studio.api import Array, Backend, Graph, Model, Node
from studio.lazy_dataclass import dataclass
from studio.packages.drift_reference import FEWEST, Frame
from studio.packages.tensors import write_parts
from studio.packages.wire import read_fields, write_field, write_number
from studio.runtime.drift.reference import EMBEDDING, EMBEDDING_AXES

AUTO = "auto"
_NODE, _OUTPUT, _GRAPH = 1, 12, 7
_FLOAT, _INT64 = 1, 7
_ATTRIBUTE_INT, _ATTRIBUTE_TENSOR, _ATTRIBUTE_INTS = 2, 4, 7
_AXES_ARE_AN_INPUT = 18
_LAYERS = ("MatMul", "Gemm", "Conv")
_PASS_CONSTANTS = ("DequantizeLinear", "Cast", "Transpose", "Identity", "QuantizeLinear")
_FLOATS = ("float32", "float16")
_FLAT = 1e-3


class NoEmbedding(ValueError):
    """The model has none that can be used, in one sentence."""


@dataclass(frozen=True, slots=True)
class EmbeddingPoint:
    """Tensor from which the embedding is taken.

    Attributes:
        tensor: Its name.
        axis: Of the features; the rest but the first are averaged.
        rank: Number of its axes.
        half: It is of half precision.
        opset: Of the standard operators.
    """

    tensor: str
    axis: int
    rank: int
    half: bool
    opset: int


class EmbeddingGraph(NamedTuple):
    """Nodes and constants that are added to a model.

    Attributes:
        axes: features x axes; None for the features themselves.
        offset: Of each axis.
    """

    place: EmbeddingPoint
    axes: Array | None = None
    offset: Array | None = None

    def apply(self, content: bytes) -> bytes:
        """Return the model with one more output, ``EMBEDDING``."""
        added = self._added()
        parts: list[bytes | memoryview] = []
        for one in read_fields(memoryview(content)):
            is_graph = one.number == _GRAPH
            parts.append(write_field(_GRAPH, bytes(one.value) + added) if is_graph else one.whole)
        return b"".join(parts)

    def _added(self) -> bytes:
        place, nodes = self.place, []
        last = place.tensor
        if place.half:
            nodes.append(_node("Cast", [last], _name("float"), [_integer("to", _FLOAT)]))
            last = _name("float")
        over = [axis for axis in range(1, place.rank) if axis != place.axis]
        if over:
            inputs, attributes = [last], [_integer("keepdims", 0)]
            if place.opset >= _AXES_ARE_AN_INPUT:
                nodes.append(_constant(_name("over"), numpy.array(over, numpy.int64)))
                inputs.append(_name("over"))
            else:
                attributes.append(_integers("axes", over))
            nodes.append(_node("ReduceMean", inputs, _name("mean"), attributes))
            last = _name("mean")
        if self.axes is None or self.offset is None:
            nodes.append(_node("Identity", [last], EMBEDDING, []))
            return b"".join(nodes) + _output(None)
        nodes.append(_constant(_name("axes"), self.axes.astype(numpy.float32)))
        nodes.append(_constant(_name("offset"), self.offset.astype(numpy.float32)))
        nodes.append(_node("MatMul", [last, _name("axes")], _name("product"), []))
        nodes.append(_node("Add", [_name("product"), _name("offset")], EMBEDDING, []))
        return b"".join(nodes) + _output(self.axes.shape[1])


def place_of(model: Model, wanted: str = AUTO) -> EmbeddingPoint:
    """Return the input of the last layer with weights before the first output, or a named tensor.

    Raises:
        NoEmbedding: in one sentence.
    """
    graph = model.graph
    known = {name for node in graph.nodes for name in node.outputs}
    if EMBEDDING in known:
        raise NoEmbedding("The model has an embedding already")
    if wanted != AUTO:
        if wanted not in known:
            raise NoEmbedding(f"The model has no tensor {wanted!r}")
        readers = [node for node in graph.nodes if wanted in node.inputs]
        conv = any(node.operator == "Conv" and node.inputs[0] == wanted for node in readers)
        return _place(model, wanted, conv)
    needed = _needed(graph)
    weights = _constants(graph)
    for node in reversed(graph.nodes):
        if _is_layer(node, weights) and needed & set(node.outputs):
            if node.inputs[0] not in known:
                break  # it sees the input itself
            return _place(model, node.inputs[0], node.operator == "Conv")
    raise NoEmbedding("The model has no layer with weights that sees more than its input")


def _place(model: Model, tensor: str, channels: bool) -> EmbeddingPoint:
    kind = model.graph.type_of(tensor)
    if kind is None or kind.shape is None or kind.dtype not in _FLOATS:
        raise NoEmbedding(f"The tensor {tensor!r} is no float of a known number of axes")
    rank = len(kind.shape)
    if rank < 2:
        raise NoEmbedding(f"The tensor {tensor!r} has no axis of features beside the samples")
    axis = 1 if channels else rank - 1
    return EmbeddingPoint(tensor, axis, rank, kind.dtype == "float16", model.opsets.get("", 1))


def _is_layer(node: Node, constants: set[str]) -> bool:
    return (
        node.operator in _LAYERS
        and not node.domain
        and len(node.inputs) > 1
        and node.inputs[1] in constants
        and not node.attributes.get("transA")
    )


def _constants(graph: Graph) -> set[str]:
    """Return constants, and values that only change a constant's form."""
    found = set(graph.initializers)
    for node in graph.nodes:
        passes = node.operator in _PASS_CONSTANTS and set(filter(None, node.inputs)) <= found
        if node.operator == "Constant" or passes:
            found.update(node.outputs)
    return found


def _needed(graph: Graph) -> set[str]:
    """Return all values that the first output depends on."""
    found = {graph.outputs[0].name} if graph.outputs else set()
    for node in reversed(graph.nodes):
        if found & set(node.outputs):
            found.update(node.inputs)
    return found


def axes_of(vectors: Array) -> tuple[Array, Array]:
    """Return the principal axes of typical features and their offset, from the even frames.

    Args:
        vectors: frames x features.

    Raises:
        NoEmbedding: when they do not vary, or are no numbers.
    """
    chosen = vectors[::2].astype(float)
    if not numpy.isfinite(chosen).all():
        raise NoEmbedding("The embedding has values that are no numbers")
    mean = chosen.mean(axis=0)
    _, sizes, axes = numpy.linalg.svd(chosen - mean, full_matrices=False)
    kept = int((sizes > _FLAT * sizes.max(initial=0)).sum())
    if not kept:
        raise NoEmbedding("The embedding is the same for all reference data")
    axes = axes[: min(kept, EMBEDDING_AXES)].T
    # The sign of an axis is arbitrary: the same data give the same bundle.
    axes = axes * numpy.sign(axes[numpy.abs(axes).argmax(axis=0), range(axes.shape[1])])
    return axes.astype(numpy.float32), -(mean @ axes).astype(numpy.float32)


def vectors_of(outputs: Iterable[tuple[Mapping[str, Array], int]]) -> Array:
    """Return the features of all frames: frames x features.

    Args:
        outputs: Of runs, each with the number of its frames.

    Raises:
        NoEmbedding: when a run does not give one vector a frame.
    """
    found = []
    for one, frames in outputs:
        vector = one[EMBEDDING]
        if vector.ndim != 2 or len(vector) != frames:
            raise NoEmbedding("The embedding has not one vector a frame")
        found.append(vector)
    return numpy.concatenate(found)


def require_same(before: Mapping[str, Array], after: Mapping[str, Array]) -> None:
    """Raise unless the answers to clients are unchanged to the bit.

    Raises:
        NoEmbedding: when one differs.
    """
    for name, array in before.items():
        other = after[name]
        same = array.dtype == other.dtype and array.shape == other.shape
        # Bytes tell 0 from -0, and a value that is no number is itself; those of texts are places.
        texts = array.dtype.kind == "O"
        if not (same and ((array == other).all() if texts else array.tobytes() == other.tobytes())):
            raise NoEmbedding(f"With it the runtime answers {name!r} otherwise, if only by a bit")


def _name(part: str) -> str:
    return f"{EMBEDDING}.{part}"


def _node(operator: str, inputs: Sequence[str], output: str, attributes: Sequence[bytes]) -> bytes:
    parts = [write_field(1, name.encode()) for name in inputs]
    parts += [
        write_field(2, output.encode()),
        write_field(3, output.encode()),
        write_field(4, operator.encode()),
    ]
    return write_field(_NODE, b"".join([*parts, *(write_field(5, one) for one in attributes)]))


def _constant(name: str, array: Array) -> bytes:
    kind = _FLOAT if array.dtype == numpy.float32 else _INT64
    tensor = b"".join(write_number(1, size) for size in array.shape) + write_number(2, kind)
    tensor += write_field(8, name.encode()) + write_field(
        9, numpy.ascontiguousarray(array).tobytes()
    )
    value = write_field(1, b"value") + write_field(5, tensor) + write_number(20, _ATTRIBUTE_TENSOR)
    return _node("Constant", [], name, [value])


def _integer(name: str, value: int) -> bytes:
    return write_field(1, name.encode()) + write_number(3, value) + write_number(20, _ATTRIBUTE_INT)


def _integers(name: str, values: Sequence[int]) -> bytes:
    listed = b"".join(write_number(8, value) for value in values)
    return write_field(1, name.encode()) + listed + write_number(20, _ATTRIBUTE_INTS)


def _output(size: int | None) -> bytes:
    sizes = write_field(1, b"") + write_field(1, b"" if size is None else write_number(1, size))
    kind = write_field(1, write_number(1, _FLOAT) + write_field(2, sizes))
    return write_field(_OUTPUT, write_field(1, EMBEDDING.encode()) + write_field(2, kind))


_MODEL_FILE = "model.onnx"


def embed(
    backend: Backend,
    path: Path,
    model: Model,
    wanted: str,
    frames: Sequence[Frame],
    folder: Path,
) -> tuple[EmbeddingGraph, list[Frame]]:
    """Fit the axes to typical data, and compare every output with the original model's.

    Args:
        wanted: Name of a tensor, or ``auto``.
        frames: Inputs and outputs of the model as it is.
        folder: For models that are tried; gone afterwards.

    Returns:
        What is added, and the frames with the embedding among their outputs.

    Raises:
        NoEmbedding: when no embedding exists, or the outputs would differ, in one sentence.
    """
    if model.format != "onnx":
        raise NoEmbedding("Only an ONNX model can get one")
    if len(frames) < FEWEST:
        raise NoEmbedding(f"It needs {FEWEST} samples of data or more")
    place = place_of(model, wanted)
    folder.mkdir(parents=True)
    try:
        if not write_parts(path, folder, _MODEL_FILE):
            raise NoEmbedding("The weights of the model cannot be separated")
        plain = (folder / _MODEL_FILE).read_bytes()
        # First the bare tensor, whose values determine the axes.
        found = _run(backend, folder, EmbeddingGraph(place).apply(plain), frames)
        axes, offset = axes_of(
            vectors_of((one, _rows(inputs)) for one, (inputs, _) in zip(found, frames, strict=True))
        )
        graft = EmbeddingGraph(place, axes, offset)
        found = _run(backend, folder, graft.apply(plain), frames)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    # The answers to clients must not change.
    for one, (_, before) in zip(found, frames, strict=True):
        require_same(before, one)
    return graft, [(inputs, one) for (inputs, _), one in zip(frames, found, strict=True)]


def _run(
    backend: Backend, folder: Path, content: bytes, frames: Sequence[Frame]
) -> list[dict[str, Array]]:
    path = folder / _MODEL_FILE
    path.write_bytes(content)
    with closing(backend.load(path, {"threads": 1})) as session:
        return [session.run(dict(inputs)) for inputs, _ in frames]


def _rows(inputs: Mapping[str, Array]) -> int:
    first = next(iter(inputs.values()))
    return len(first) if first.ndim else 1
