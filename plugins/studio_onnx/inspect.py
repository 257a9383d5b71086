"""Details of an ONNX model that are read on demand: the values of a constant, operators' texts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy
import onnx
from onnx import defs, numpy_helper

from studio.api import Array, InvalidModel, UsageError
from studio.api.inspection import OperatorDoc
from studio_onnx import external
from studio_onnx.structure import graphs, nodes
from studio_onnx.tensors import is_external, is_known, nbytes, reference
from studio_onnx.wire import INSIDE


def constant(path: Path, model: onnx.ModelProto, name: str, most_bytes: int) -> Array:
    """Return the first values of a constant as a flat array; narrow types are widened.

    Args:
        model: The structure of the file at ``path``.

    Raises:
        UsageError: when there is no such constant, or it holds texts.
        InvalidModel: when its data is missing or damaged.
        UnsafeModel: when its data lies where no model may reach.
    """
    tensor = _find(model, name)
    if tensor.data_type == onnx.TensorProto.STRING or not is_known(tensor.data_type):
        raise UsageError(f"The constant {name!r} holds no numbers.")
    size = nbytes(tensor)
    if is_external(tensor) and reference(tensor).offset is None and _is_inside(tensor):
        return _typed(path, name, most_bytes)
    external.check(path.absolute(), [tensor])
    elements = int(numpy.prod(tensor.dims, dtype=numpy.int64))
    taken = elements if size <= most_bytes else elements * most_bytes // size // 8 * 8
    if not is_external(tensor):
        return _numbers(tensor)[:taken]
    data = _read(path, tensor, -(-size * taken // max(elements, 1)))
    part = onnx.TensorProto(data_type=tensor.data_type, dims=[taken], raw_data=data)
    return _numbers(part)


def documentation(operator: str, domain: str, version: int) -> OperatorDoc | None:
    """Return the text in ``onnx.defs``, or None for operators of other domains."""
    standard = "" if domain == "ai.onnx" else domain
    try:
        schema = defs.get_schema(operator, version, standard)
    except defs.SchemaError:
        return None
    attributes = sorted(schema.attributes.items())
    return OperatorDoc(
        operator,
        domain,
        schema.since_version,
        (schema.doc or "").strip(),
        tuple((one.name, one.description.strip()) for one in schema.inputs),
        tuple((one.name, one.description.strip()) for one in schema.outputs),
        tuple((key, one.description.strip()) for key, one in attributes),
    )


def _find(model: onnx.ModelProto, name: str) -> onnx.TensorProto:
    for tensor in _tensors(model, name):
        return tensor
    raise UsageError(f"The model has no constant {name!r}.")


def _tensors(model: onnx.ModelProto, name: str) -> Iterable[onnx.TensorProto]:
    """Yield the constants of a name: initializers, and tensors of Constant nodes."""
    for graph in graphs(model):
        yield from (tensor for tensor in graph.initializer if tensor.name == name)
    for node in nodes(model):
        if node.op_type == "Constant" and name in node.output:
            yield from (one.t for one in node.attribute if one.HasField("t"))


def _is_inside(tensor: onnx.TensorProto) -> bool:
    return reference(tensor).location == INSIDE


def _typed(path: Path, name: str, most_bytes: int) -> Array:
    """Return a large constant stored number by number, which only the parser can read."""
    whole = onnx.load(str(path), load_external_data=False)
    values = _numbers(_find(whole, name))
    return values[: most_bytes // max(values.itemsize, 1)]


def _read(path: Path, tensor: onnx.TensorProto, length: int) -> bytes:
    """Return the first bytes of a tensor's data, whose reference was checked."""
    part = reference(tensor)
    source = path if part.location == INSIDE else path.parent / part.location
    with source.open("rb") as file:
        file.seek(part.offset or 0)
        return file.read(length)


def _numbers(tensor: onnx.TensorProto) -> Array:
    try:
        values = numpy_helper.to_array(tensor).reshape(-1)
    except (ValueError, TypeError) as error:
        raise InvalidModel(
            f"The values of {tensor.name!r} cannot be read.", detail=str(error)
        ) from None
    # bfloat16, float8 and four bits are types of their own, which numpy alone cannot count with.
    return values if values.dtype.kind in "fiubc" else values.astype(numpy.float32)
