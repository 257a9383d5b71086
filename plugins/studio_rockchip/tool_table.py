"""The table of layers that RKNN-Toolkit2 prints, read as the placement of a model's nodes.

Used by the tool next to it: the standard library alone; nothing of the studio.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

_ROW = re.compile(
    r"^(?:D RKNN: \[[\d:.]+\] )?(?P<id>\d+) +(?P<operator>\w+) +(?P<dtype>[A-Z]+\d*) +"
    r"(?P<target>NPU|CPU|GPU) +\S+ +\S+ +\d+/\d+/(?P<cycles>\d+) .*?"
    r" (?P<owner>\w+:\S.*?) *$",
)
_LONGEST_LINE = 2000
"""Characters; names come from the model's file, and what looks for them looks at all of one."""

_MEMORY = re.compile(r"Total (?P<kind>Internal|Weight) Memory Size: (?P<size>[\d.]+)KB")
_FIGURES = {"Internal": "dram_bytes", "Weight": "parameter_bytes"}
_ENDS = frozenset({"InputOperator", "OutputOperator"})
"""Rows for the inputs and outputs, which compute nothing."""

_JOINTS = "_-#./"
"""What the compiler puts between the name of a node and its own addition."""


class NpuLayer(NamedTuple):
    """A layer of the compiled model.

    Attributes:
        name: Of the node or value that it was made for, with the compiler's addition.
        cycles: Of the NPU, as the compiler estimates them.
    """

    operator: str
    dtype: str
    on_npu: bool
    cycles: int
    name: str


def layers(text: str) -> list[NpuLayer]:
    """Return the layers of the last table in a log, without those of inputs and outputs."""
    found: list[NpuLayer] = []
    short = (line for line in text.splitlines() if len(line) <= _LONGEST_LINE)
    for row in filter(None, map(_ROW.match, short)):
        if row["id"] == "0":
            found = []  # the tables of earlier passes
        if row["operator"] not in _ENDS:
            name = row["owner"].partition(":")[2]
            on_npu = row["target"] == "NPU"
            found.append(NpuLayer(row["operator"], row["dtype"], on_npu, int(row["cycles"]), name))
    return found


def figures(text: str, found: Sequence[NpuLayer]) -> dict[str, float]:
    """Return the compiler's own figures: bytes of memory, and cycles of the NPU."""
    sizes = {_FIGURES[one["kind"]]: 1024 * float(one["size"]) for one in _MEMORY.finditer(text)}
    return {**sizes, "npu_cycles": float(sum(layer.cycles for layer in found))}


def owners(found: Sequence[NpuLayer], names: Mapping[str, str]) -> Iterator[tuple[NpuLayer, str]]:
    """Yield each layer with the node that it was made for; empty where it has none.

    Args:
        names: Name of the node by the name of a node or of its output.
    """
    for layer in found:
        yield layer, names.get(_longest(layer.name, names), "")


def _longest(name: str, names: Mapping[str, str]) -> str:
    """Return the longest known name that a name begins with."""
    while name and name not in names:
        name = name[: max(name.rfind(joint) for joint in _JOINTS)] if _is_joined(name) else ""
    return name


def _is_joined(name: str) -> bool:
    return any(joint in name[1:] for joint in _JOINTS)


class NpuPlacement(NamedTuple):
    """Where a model runs.

    Attributes:
        nodes: With the keys of ``studio.api.PlacedNode``; none where all run on the NPU.
        added: Layers that the compiler adds on the processor, as ``Transpose (of NODE)``.
        half: Nodes that compute in float16.
    """

    nodes: list[dict[str, Any]]
    added: list[str]
    half: list[str]


def placement(nodes: Sequence[Any], found: Sequence[NpuLayer]) -> NpuPlacement:
    """Return where the nodes of a model run.

    Args:
        nodes: Those of the model: name, operator, and names of the outputs.
    """
    names = {output: node.name for node in nodes for output in node.outputs}
    names |= {node.name: node.name for node in nodes}
    operators = {node.name: node.operator for node in nodes}
    left: set[str] = set()
    added: list[str] = []
    half: dict[str, None] = {}
    for layer, owner in owners(found, names):
        if layer.dtype == "FLOAT16" and owner:
            half[owner] = None
        if layer.on_npu:
            continue
        if owner and layer.operator.startswith(operators[owner]):
            left.add(owner)
        else:
            added.append(f"{layer.operator} (of {owner or layer.name})")
    rows = [_row(node, node.name not in left) for node in nodes] if left else []
    return NpuPlacement(rows, added, list(half))


def _row(node: Any, on_chip: bool) -> dict[str, Any]:
    reason = "" if on_chip else "RKNN-Toolkit2 leaves it to the processor"
    return {"name": node.name, "operator": node.operator, "on_chip": on_chip, "reason": reason}
