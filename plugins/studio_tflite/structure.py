"""The structure of a TFLite file: sub-graphs, tensors, operators, and where the weights lie."""

from __future__ import annotations

import math
import mmap
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from studio.api import AttributeValue, InvalidModel, Limits, UnsafeModel
from studio_tflite.flatbuffer import Buffer, Table
from studio_tflite.schema import LONGEST_TEXT, enumeration, read, slot

IDENTIFIER = b"TFL3"
_OTHER_FILE = "Convert the model to TFLite first, or check that this is the right file."
_PLACEHOLDER = 127  # of codes that no longer fit into the byte of old files
_CALL = re.compile(r"(?:(\w+)_)?subgraph(?:_index)?")
_SILENT = {"quantized_bias_type": "FLOAT32", "fused_activation_function": "NONE"}
"""Values of options that carry no information."""
_LONGEST_LIST = 4096
_LONGEST_NAME = 1000


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of a sub-graph.

    Attributes:
        dtype: As the schema names it, in small letters (``float32``).
        shape: As the converter fixed it; ``signature`` has -1 where a size is open.
        buffer: Number of the buffer that holds its values; 0 for none.
        note: Its quantization in words.
        steps: Scale and zero point, where there is one of each.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    signature: tuple[int, ...]
    buffer: int
    note: str
    is_sparse: bool
    steps: tuple[float, int] | None = None


@dataclass(frozen=True, slots=True)
class Operator:
    """Operator of a sub-graph; tensors by their numbers, -1 for one that is left out.

    Attributes:
        is_custom: Whether it is not one of TFLite's own.
        calls: Numbers of the sub-graphs that it runs, by what they are to it (``then``).
    """

    kind: str
    is_custom: bool
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    attributes: Mapping[str, AttributeValue]
    calls: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class SubGraph:
    """One of the model's graphs; the first one is the model's."""

    name: str
    tensors: tuple[Tensor, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    operators: tuple[Operator, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """Structure of a TFLite file.

    Attributes:
        buffers: Position and length of each in the file; (0, 0) for one without content.
    """

    version: int
    description: str
    graphs: tuple[SubGraph, ...]
    buffers: tuple[tuple[int, int], ...]
    metadata: Mapping[str, str] = field(default_factory=dict)


def load(path: Path, limits: Limits) -> Content:
    """Read a file but for its weights.

    Raises:
        InvalidModel: when it is no TFLite model, or damaged.
        UnsafeModel: when it is beyond the limits.
    """
    size = _check_file(path)
    with path.open("rb") as file, mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as data:
        if data[4:8] != IDENTIFIER:
            raise InvalidModel(f"{path.name} is not a TFLite model.", hint=_OTHER_FILE)
        buffer = Buffer(data, path.name)
        return _content(path.name, buffer, limits)


def _check_file(path: Path) -> int:
    try:
        status = path.stat()
    except OSError as error:
        raise InvalidModel(f"{path} cannot be read: {error.strerror}.") from None
    if not stat.S_ISREG(status.st_mode):
        raise UnsafeModel(f"{path.name} is not a regular file.")
    if not status.st_size:
        raise InvalidModel(f"{path.name} is empty.", hint="Export or download the model again.")
    return status.st_size


def _content(name: str, buffer: Buffer, limits: Limits) -> Content:
    model = buffer.root()
    facts = read(model, "Model")
    codes = [_code(table) for table in model.tables(slot("Model", "operator_codes"))]
    buffers = tuple(_place(one, buffer) for one in model.tables(slot("Model", "buffers")))
    reader = _Reader(name, codes, limits)
    graphs = tuple(map(reader.graph, model.tables(slot("Model", "subgraphs"))))
    if not graphs:
        raise InvalidModel(f"{name} holds no graph.")
    named = [read(table, "Metadata") for table in model.tables(slot("Model", "metadata"))]
    return Content(
        facts["version"],
        facts["description"],
        graphs,
        buffers,
        {one["name"]: _metadata(buffer, buffers, one["buffer"]) for one in named},
    )


def _code(table: Table) -> tuple[str, bool]:
    """Name of an operator, and whether it is custom."""
    facts = read(table, "OperatorCode")
    number = max(facts["deprecated_builtin_code"], facts["builtin_code"])
    if facts["deprecated_builtin_code"] == _PLACEHOLDER:
        number = facts["builtin_code"]
    name = enumeration("BuiltinOperator").get(number, f"OPERATOR_{number}")
    return (facts["custom_code"] or "CUSTOM", True) if name == "CUSTOM" else (name, False)


def _place(table: Table, buffer: Buffer) -> tuple[int, int]:
    """Return the position of a buffer: in the flatbuffer, or behind it in the same file."""
    facts = {key: table.number(slot("Buffer", key), "uint64", 0) for key in ("offset", "size")}
    if facts["offset"] > 1:
        buffer.check(facts["offset"], facts["size"])
        return facts["offset"], facts["size"]
    return table.span(slot("Buffer", "data"))


def _metadata(buffer: Buffer, buffers: tuple[tuple[int, int], ...], number: int) -> str:
    """Return metadata of a name if it is a short text, else its size."""
    place, size = buffers[number] if number < len(buffers) else (0, 0)
    if size <= LONGEST_TEXT:
        text = buffer.cut(place, size).rstrip(b"\0").decode("utf-8", "replace")
        if text.isprintable():
            return text
    return f"{size:,} bytes"


class _Reader:
    """Reads sub-graphs; holds what they share."""

    def __init__(self, name: str, codes: list[tuple[str, bool]], limits: Limits) -> None:
        self._name = name
        self._codes = codes
        self._limits = limits
        self._operators = 0

    def graph(self, table: Table) -> SubGraph:
        facts = read(table, "SubGraph")
        tensors = tuple(map(_tensor, table.tables(slot("SubGraph", "tensors"))))
        operators = tuple(map(self._operator, table.tables(slot("SubGraph", "operators"))))
        numbers = [*facts["inputs"], *facts["outputs"]]
        numbers += [one for op in operators for one in (*op.inputs, *op.outputs)]
        if numbers and (min(numbers) < -1 or max(numbers) >= len(tensors)):
            raise InvalidModel(f"{self._name} is damaged: it names a tensor that is not there.")
        return SubGraph(facts["name"], tensors, facts["inputs"], facts["outputs"], operators)

    def _operator(self, table: Table) -> Operator:
        self._operators += 1
        if self._operators > self._limits.nodes:
            raise UnsafeModel(f"{self._name} has more than {self._limits.nodes:,} operators.")
        facts = read(table, "Operator")
        if facts["opcode_index"] >= len(self._codes):
            raise InvalidModel(f"{self._name} is damaged: an operator has no name.")
        kind, is_custom = self._codes[facts["opcode_index"]]
        options = _options(table, facts)
        calls = {
            key: number for name, value in options.items() for key, number in _calls(name, value)
        }
        attributes = {
            key: _attribute(value)
            for key, value in options.items()
            if value not in ("", ()) and _SILENT.get(key) != value
        }
        if facts["custom_options"]:
            attributes["custom_options"] = f"{len(facts['custom_options']):,} bytes"
        return Operator(kind, is_custom, facts["inputs"], facts["outputs"], attributes, calls)


def _options(table: Table, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of an operator, from either of the two unions."""
    found: dict[str, Any] = {}
    for union in ("builtin_options", "builtin_options2"):
        name = enumeration(union.title().replace("_", "")).get(facts[f"{union}_type"], "NONE")
        # The union's value is in the slot behind its type's.
        options = table.table(slot("Operator", f"{union}_type") + 2) if name != "NONE" else None
        if options is not None:
            found |= read(options, name)
    return found


def _calls(name: str, value: Any) -> list[tuple[str, int]]:
    """Return the sub-graphs that an option names, of which the main graph cannot be one."""
    found = _CALL.fullmatch(name)
    if found is not None and isinstance(value, int):
        return [(found[1] or "subgraph", value)] if value > 0 else []
    if name == "branch_subgraph_indices":
        return [(f"branch_{k}", one) for k, one in enumerate(value) if one > 0]
    return []


def _attribute(value: Any) -> AttributeValue:
    """Return an option in the displayed form."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple) and len(value) > _LONGEST_LIST:
        return f"{len(value):,} values"
    shown: AttributeValue = value
    return shown


def _tensor(table: Table) -> Tensor:
    facts = read(table, "Tensor")
    name = facts["name"]
    quantization = table.table(slot("Tensor", "quantization"))
    return Tensor(
        name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "…",
        enumeration("TensorType").get(facts["type"], "unknown").lower(),
        facts["shape"],
        facts["shape_signature"],
        facts["buffer"],
        _quantization(read(quantization, "QuantizationParameters")) if quantization else "",
        table.table(slot("Tensor", "sparsity")) is not None,
        _steps(read(quantization, "QuantizationParameters")) if quantization else None,
    )


def _steps(facts: Mapping[str, Any]) -> tuple[float, int] | None:
    """Scale and zero point of a whole tensor; None where there are others, or none."""
    scales, zeros = facts["scale"], facts["zero_point"] or (0,)
    if len(scales) != 1 or not 0 < scales[0] < math.inf:
        return None
    return float(scales[0]), int(zeros[0])


def _quantization(facts: Mapping[str, Any]) -> str:
    """Scale and zero point in words; of many the span."""
    scales, zeros = facts["scale"], facts["zero_point"] or (0,)
    if len(scales) == 1:
        return f"scale {scales[0]:.6g}, zero point {zeros[0]}"
    if scales:
        axis, low, high = facts["quantized_dimension"], min(scales), max(scales)
        return f"{len(scales)} scales along axis {axis}, {low:.4g} to {high:.4g}"
    return ""
