"""The nodes of a model and their places, read from the log of QNN's provider.

Used by the tool next to it. It needs the standard library alone.

The log has these parts for each group of nodes. First comes the operation of QNN that the provider
tries, with the types of its tensors. A warning follows where the NPU refuses it. Then come the
nodes with the result. At the end of the log are the nodes that ONNX Runtime has placed on the
processor. A second pass repeats the groups in another layout, under other names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

_PASS = re.compile(r"GetCapability pass (\d)")
_OPERATION = re.compile(r"Qnn_OpConfig node name: .* QNN_op_type: (\S+) num_of_inputs")
_TENSOR = re.compile(r"^ name=.*? dataType=QNN_DATATYPE_(\w+)")
_SIDES = {" node_inputs:": 0, " node_outputs:": 1, " node_params:": 2}
_REFUSED = re.compile(r"backendValidateOpConfig\(\) failed .* with error code (\d+)")
_GROUP = re.compile(r"Validation (PASSED|FAILED) for \d+ nodes in OrtNodeUnit")
_NODE = re.compile(r"^\tOperator type: (\S+) Node name: (.*) Node index: \d+$")
_REASON = re.compile(r"^\tREASON : (.*)$")
_PLACE = re.compile(r"Node\(s\) placed on \[(\w+)\]")
_PLACED = re.compile(r"VerifyEachNodeIsAssignedToAnEp\] {2,}(\S+) \((.*)\)$")
_ALL = "All nodes placed on"
_SUFFIX = re.compile(r"_token_\d+$")

_GENERAL = "Failed to add node"
_UNNAMED = "QNN's provider did not take it"
_LONGEST = 1000
_WIDE = "QNN_DATATYPE_UFIXED_POINT_16"
_FLOATS = frozenset({"FLOAT_32", "FLOAT_16"})

_PRESETS = {
    "int8-qnn": "Quantize the float model with the preset int8-qnn.",
    "a16w8-qnn": (
        "The NPU of this chip computes in integers alone. Quantize the float model with the preset "
        "a16w8-qnn."
    ),
}
"""Remedies by the preset that each names."""

_PRESET, _INTEGERS = "int8-qnn", "a16w8-qnn"
_ROUNDING = frozenset({"QuantizeLinear", "DequantizeLinear"})
_MENDED = re.compile(r"per-channel quantization|MatMulNBits")
"""What the presets for CPUs have, and the preset for this NPU has not."""


class PlacedRow(NamedTuple):
    """A node with its place, in the keys of ``studio.api.chips``."""

    name: str
    operator: str
    on_chip: bool
    reason: str = ""
    remedy: str = ""
    preset: str = ""
    keep_float: bool = False


@dataclass(slots=True)
class Operation:
    """An operation of QNN that the provider tries for a group of nodes."""

    type: str
    sides: tuple[list[str], list[str], list[str]] = field(default_factory=lambda: ([], [], []))
    code: str = ""

    def reason(self) -> str:
        """Return why the NPU refuses it."""
        read, written = (", ".join(dict.fromkeys(side)) for side in self.sides[:2])
        return f"the NPU has no {self.type} from {read} to {written} (error {self.code})"

    def preset(self) -> str:
        """Return the preset that may bring it onto the chip."""
        kinds = {*self.sides[0], *self.sides[1]}
        return _PRESET if kinds & _FLOATS and kinds - _FLOATS else ""


@dataclass(slots=True)
class Group:
    """Nodes that QNN computes by one operation, or refuses together."""

    taken: bool
    again: bool
    operation: Operation | None
    nodes: list[tuple[str, str]] = field(default_factory=list)
    text: str = ""

    def reason(self) -> str:
        """Return why QNN does not take them."""
        if self.text.startswith(_GENERAL) and self.operation and self.operation.code:
            return self.operation.reason()
        return self.text.strip().rstrip(".") or _UNNAMED

    def preset(self) -> str:
        """Return the preset that may bring them onto the chip."""
        operators = " ".join(kind for _, kind in self.nodes)
        if _MENDED.search(f"{operators} {self.reason()}"):
            return _PRESET
        return self.operation.preset() if self.operation and self.operation.code else ""

    def is_mixed(self) -> bool:
        """Return whether the NPU refuses them for integers and floats in one operation."""
        return bool(self.operation and self.operation.code and self.operation.preset())


def nodes(log: str, *, floats: bool = True) -> list[PlacedRow]:
    """Return the nodes of the model, with the reasons of those that are left to the processor.

    Where no model was built, the nodes that QNN refuses are off the chip.

    Args:
        floats: Whether the NPU computes in floats, too.
    """
    lines = log.splitlines()
    found = list(_groups(lines))
    known = {name: kind for one in found if not one.again for name, kind in one.nodes}
    refused = {_own(name): one for one in found if not one.taken for name, _ in one.nodes}
    kinds = {_own(name): kind for one in found if not one.taken for name, kind in one.nodes}
    placed = _left(lines)
    left = kinds if placed is None else {_own(name): kind for name, kind in placed.items()}
    rows = [_row(name, kind, name not in left, refused) for name, kind in (left | known).items()]
    # A model that has 16 bits already has come from that preset, which rounds no such operator.
    return rows if floats or _WIDE in log else [_without_floats(row) for row in rows]


def _groups(lines: Sequence[str]) -> Iterator[Group]:
    """Yield the groups of nodes in the order in which they are tried."""
    number, operation, side, group = 1, None, 2, None
    for line in lines:
        if match := _PASS.search(line):
            number = int(match[1])
        elif match := _OPERATION.search(line):
            operation, side = Operation(match[1]), 2
        elif line in _SIDES:
            side = _SIDES[line]
        elif operation and (match := _TENSOR.match(line)):
            operation.sides[side].append(match[1])
        elif operation and (match := _REFUSED.search(line)):
            operation.code = match[1]
        elif match := _GROUP.search(line):
            group = Group(match[1] == "PASSED", number > 1, operation)
            operation = None
        elif group and (match := _NODE.match(line)):
            group.nodes.append((match[2], match[1]))
        elif group and (match := _REASON.match(line)):
            group.text = match[1]
        elif group and not line:
            yield group
            group = None


def _left(lines: Sequence[str]) -> dict[str, str] | None:
    """Return the nodes on the processor; None where the log does not get that far."""
    found: dict[str, str] | None = None
    provider = ""
    for line in lines:
        if _ALL in line:
            found = found or {}
        elif match := _PLACE.search(line):
            provider, found = match[1], found or {}
        elif provider == "CPUExecutionProvider" and (match := _PLACED.search(line)):
            assert found is not None
            found[match[2]] = match[1]
    return found


def _own(name: str) -> str:
    """Return the name of a node without what a change of the layout adds to it."""
    return _SUFFIX.sub("", name)


def _row(name: str, operator: str, on_chip: bool, refused: dict[str, Group]) -> PlacedRow:
    if on_chip:
        return PlacedRow(name[:_LONGEST], operator, on_chip)
    group = refused.get(name)
    reason = group.reason() if group else _UNNAMED
    preset = group.preset() if group else ""
    keep = group is not None and group.is_mixed() and operator not in _ROUNDING
    row = PlacedRow(name[:_LONGEST], operator, on_chip, reason[:_LONGEST], keep_float=keep)
    return _with_preset(row, preset)


def _with_preset(row: PlacedRow, preset: str) -> PlacedRow:
    return row._replace(remedy=_PRESETS.get(preset, ""), preset=preset)


def _without_floats(row: PlacedRow) -> PlacedRow:
    """Return a row with the remedy for an NPU that computes in integers alone."""
    is_float = any(one in row.reason for one in _FLOATS)
    changed = _with_preset(row, _INTEGERS) if is_float else row
    return changed._replace(keep_float=False)
