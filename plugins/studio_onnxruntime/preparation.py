"""A model made ready for quantization: named nodes, folded constants, inferred shapes."""

from __future__ import annotations

import contextlib
import io
import logging
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import numpy
import onnx
import onnx.inliner
import onnx.version_converter
from onnx import GraphProto, ModelProto, NodeProto

from studio.api import InvalidModel, StudioError, UsageError
from studio_onnxruntime.backend import check_outputs, first_sentence

MOST_BYTES = 2**31 - 2**26
"""Largest model that fits one file with room for what a transform adds."""

_PER_CHANNEL_OPSET, _IR_OF_OPSET = 13, 7
"""First operator set that knows scales per channel, and its version of the format."""

_RESIZE_WITH_MODES = 11
"""First operator set whose Resize has rules for coordinates, with others as default."""

_QUANTIZED = frozenset(
    {"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "MatMulInteger"}
    | {"ConvInteger", "QLinearConv", "QLinearMatMul", "MatMulNBits"}
)


@contextlib.contextmanager
def confined(folder: Path) -> Iterator[None]:
    """Keep the libraries' temporary files in a folder, and their chatter out of the output."""
    before, threshold = tempfile.tempdir, logging.root.manager.disable
    tempfile.tempdir = str(folder)
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        tempfile.tempdir = before
        logging.disable(threshold)


def load(path: Path) -> ModelProto:
    """Read a model with its weights, and give a name to each node that has none.

    Raises:
        InvalidModel: when it cannot be read.
        StudioError: when it is too large for one file, or was quantized before.
    """
    try:
        size = path.stat().st_size
        model = onnx.load(str(path), load_external_data=False)
        size += sum(external_bytes(tensor) for tensor in model.graph.initializer)
        if size > MOST_BYTES:
            raise StudioError(
                f"{path.name} has {size / 2**30:.1f} GiB of weights; "
                "models beyond 2 GiB cannot be transformed yet."
            )
        onnx.load_external_data_for_model(model, str(path.parent))
        model = _inlined(model)
    except StudioError:
        raise
    except Exception as error:  # protobuf and onnx raise many kinds
        raise InvalidModel(
            f"{path.name} cannot be read: {first_sentence(error)}", detail=str(error)
        ) from None
    found = sum(node.op_type in _QUANTIZED for node in model.graph.node)
    if found:
        raise StudioError(
            f"{path.name} is quantized already ({found} such operators).",
            hint="Start from the float model.",
        )
    _finite(model.graph)
    name_nodes(model.graph)
    check_outputs(model.graph, path)
    return model


def _finite(graph: GraphProto) -> None:
    """Refuse weights that no scale can stand for; a mask or the value of a Pad may be infinite.

    Raises:
        InvalidModel: naming the first.
    """
    layers = (node for node in graph.node if node.op_type in ("Conv", "MatMul", "Gemm"))
    weights = {name for node in layers for name in node.input}
    for tensor in graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT and tensor.name in weights:
            array = onnx.numpy_helper.to_array(tensor)
            if not numpy.isfinite(array).all():
                raise InvalidModel(
                    f"The weights of {tensor.name!r} are not finite (NaN or inf).",
                    hint="Export the model again from a checkpoint whose training did not diverge.",
                )


def _inlined(model: ModelProto) -> ModelProto:
    """Return a model with its functions in place; their nodes bear the name of the call first."""
    if not model.functions:
        return model
    bodies = {(f.domain, f.name, f.overload): f.node for f in model.functions}

    def size(node: NodeProto) -> int:
        body = bodies.get((node.domain, node.op_type, node.overload))
        return 1 if body is None else sum(map(size, body))

    calls = [node for node in model.graph.node for _ in range(size(node))]
    inlined: ModelProto = onnx.inliner.inline_local_functions(model, convert_version=True)
    for node, call in zip(inlined.graph.node, calls, strict=True):
        if (call.domain, call.op_type, call.overload) in bodies and call.name:
            node.name = f"{call.name}/{node.op_type}"
    return inlined


def name_nodes(graph: GraphProto) -> None:
    """Give each node a name of its own, by the same rule as the graph view."""
    taken = {node.name for node in graph.node if node.name}
    used: set[str] = set()
    for index, node in enumerate(graph.node):
        if not node.name or node.name in used:
            node.name = _fresh(node.name or f"{node.op_type}_{index}", taken)
        used.add(node.name)
        taken.add(node.name)


def _fresh(wish: str, taken: set[str]) -> str:
    number, name = 1, wish
    while name in taken:
        number += 1
        name = f"{wish}#{number}"
    return name


def prepared(model: ModelProto, folder: Path) -> Path:
    """Fold constants, fuse batch normalisation, infer shapes and raise old operator sets.

    Raises:
        InvalidModel: when ONNX Runtime cannot do that.
    """
    from onnxruntime.quantization.shape_inference import quant_pre_process

    source, output = folder / "named.onnx", folder / "prepared.onnx"
    onnx.save(raised(model), str(source))
    try:
        # Symbolic inference needs sympy and gains nothing for convolutions.
        quant_pre_process(str(source), str(output), skip_symbolic_shape=True)
    except OSError:  # such as a full disk: no fault of the model
        raise
    except Exception as error:  # native and Python errors of many kinds
        raise InvalidModel(
            f"ONNX Runtime cannot prepare the model for quantization: {first_sentence(error)}",
            detail=str(error),
        ) from None
    return output


def raised(model: ModelProto) -> ModelProto:
    """Return a model in the first operator set that knows scales per channel, if it is older.

    Raises:
        InvalidModel: naming the node that has no counterpart there.
    """
    former = next((one.version for one in model.opset_import if one.domain in ("", "ai.onnx")), 1)
    if former >= _PER_CHANNEL_OPSET:
        return model
    _own_constants(model)
    try:
        newer: ModelProto = onnx.version_converter.convert_version(model, _PER_CHANNEL_OPSET)
    except Exception as error:  # assertions of the library, as exceptions of many kinds
        raise InvalidModel(
            f"The model's operator set {former} cannot be raised to {_PER_CHANNEL_OPSET}"
            f"{_unconvertible(model.graph, str(error))}.",
            hint=f"Export the model again with opset {_PER_CHANNEL_OPSET} or later.",
            detail=str(error),
        ) from None
    _fold_constants(newer.graph)
    if former < _RESIZE_WITH_MODES:
        _mark_resizes(newer.graph)
    return newer


def _own_constants(model: ModelProto) -> None:
    """Let initializers be no inputs, as they may since version 4 of the format."""
    constants = {tensor.name for tensor in model.graph.initializer}
    for value in [one for one in model.graph.input if one.name in constants]:
        model.graph.input.remove(value)
    model.ir_version = max(model.ir_version, _IR_OF_OPSET)


def _unconvertible(graph: GraphProto, text: str) -> str:
    """Return which node the library's message is about; empty where it names no operator."""
    named = re.search(r"adapt_([a-z]+)_|[Ff]or (\w+)$", text)
    operator = (named[1] or named[2]).lower() if named else ""
    node = next((n for n in graph.node if n.op_type.lower() == operator), None)
    return "" if node is None else f": onnx cannot convert the {node.op_type} {node.name!r}"


def _mark_resizes(graph: GraphProto) -> None:
    """Give resizes the rules of their old operator set, which the library forgets."""
    rules = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    for node in graph.node:
        if node.op_type == "Resize":
            node.attribute.extend(onnx.helper.make_attribute(*rule) for rule in rules.items())


def _fold_constants(graph: GraphProto) -> None:
    """Turn constants that the converter has added as nodes, such as axes, into initializers."""
    for node in [one for one in graph.node if one.op_type == "Constant"]:
        value = next((one.t for one in node.attribute if one.name == "value"), None)
        if value is not None:
            graph.initializer.add().CopyFrom(value)
            graph.initializer[-1].name = node.output[0]
            graph.node.remove(node)


@dataclass(frozen=True, slots=True)
class Selection:
    """Nodes of a prepared graph to change, and those to leave unchanged.

    Attributes:
        chosen: Names of the nodes to be quantized.
        kept: Names of those that could be but stay in float, with the reason.
    """

    chosen: tuple[str, ...]
    kept: dict[str, str]


def select(
    original: GraphProto,
    graph: GraphProto,
    operators: Sequence[str],
    keep: Sequence[str],
    *,
    constant_only: bool,
    float_depthwise: bool = False,
) -> Selection:
    """Choose the nodes of the given operators, except those to be kept.

    Args:
        original: The graph whose names the user knows.
        graph: The prepared graph.
        keep: Names (with * and ?) or operators.
        constant_only: Keep a product of two activations (attention) in float.
        float_depthwise: Keep convolutions that filter each channel alone in float.

    Raises:
        UsageError: for a name to be kept that the model does not have.
        StudioError: when nothing is left to quantize.
    """
    asked = prepared_names(original, graph, keep)
    constants = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    chosen, kept = [], {}
    for node in graph.node:
        if node.op_type not in operators:
            continue
        if node.name in asked:
            kept[node.name] = "asked for"
        elif constant_only and node.input[1] not in constants:
            kept[node.name] = "both factors are activations"
        elif float_depthwise and _depthwise(node, constants.get(node.input[1], ())):
            kept[node.name] = "depthwise: int8 is slower"
        else:
            chosen.append(node.name)
    if not chosen:
        names = ", ".join(operators)
        why = f"all of its {names} are kept in float" if kept else f"it has no {names}"
        blocks = sorted(
            {n.op_type for n in graph.node if any(a.HasField("g") for a in n.attribute)}
        )
        if blocks and not kept:
            why += f" outside of the branches of {' and '.join(blocks)}, which stay in float"
        raise StudioError(
            f"There is nothing to quantize in this model: {why}.", hint="Keep the float model."
        )
    return Selection(tuple(chosen), kept)


def _depthwise(node: NodeProto, weight: tuple[int, ...]) -> bool:
    group = next((a.i for a in node.attribute if a.name == "group"), 1)
    return node.op_type == "Conv" and group > 1 and weight[:2] == (group, 1)


def matching_names(graph: GraphProto, keep: Sequence[str]) -> set[str]:
    """Return the nodes that match a list of names (with * and ?) and operators.

    Raises:
        UsageError: for one that the model does not have.
    """
    names: set[str] = set()
    for pattern in keep:
        found = {n.name for n in graph.node if fnmatchcase(n.name, pattern) or n.op_type == pattern}
        # The nodes of a function bear the name of its call first.
        found = found or {n.name for n in graph.node if fnmatchcase(n.name, f"{pattern}/*")}
        if not found:
            raise UsageError(
                f"The model has no node {pattern!r}.",
                hint="Give a node's name as the graph shows it, * for any characters.",
            )
        names |= found
    return names


def prepared_names(original: GraphProto, graph: GraphProto, patterns: Sequence[str]) -> set[str]:
    """Return the names in the prepared graph for patterns of the original one.

    Raises:
        UsageError: for one that the model does not have.
    """
    return _survivors(original, graph, matching_names(original, patterns))


def _survivors(original: GraphProto, graph: GraphProto, names: set[str]) -> set[str]:
    """Return the prepared nodes of some nodes: themselves, or what they were fused into."""
    makers = {output: node.name for node in graph.node for output in node.output}
    consumers: dict[str, list[NodeProto]] = {}
    for node in original.node:
        for name in node.input:
            consumers.setdefault(name, []).append(node)
    asked = (node for node in original.node if node.name in names)
    return {_survivor(node, makers, consumers) for node in asked} - {""}


def _survivor(
    node: NodeProto, survivors: dict[str, str], consumers: dict[str, list[NodeProto]]
) -> str:
    current = node
    while current.output[0] not in survivors:
        following = consumers.get(current.output[0], [])
        if len(following) != 1:
            return ""
        current = following[0]
    return survivors[current.output[0]]


def hand_over(made: Path, output: Path) -> None:
    """Move a written model to its place, once it is valid and the runtime takes it.

    Args:
        made: On the same file system. So nothing half-written is ever at ``output``.

    Raises:
        InvalidModel: when the model is not valid.
    """
    from studio_onnxruntime.backend import OnnxRuntime

    try:
        onnx.checker.check_model(str(made))
        OnnxRuntime().load(made, {"threads": 1}).close()
    except InvalidModel:
        raise
    except Exception as error:  # the checker's errors
        raise InvalidModel(
            f"The transformed model is not valid: {first_sentence(error)}", detail=str(error)
        ) from None
    made.replace(output)


def external_bytes(tensor: onnx.TensorProto) -> int:
    """Return the bytes of a tensor that another file holds."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    return int(entries.get("length", 0)) if entries else 0
