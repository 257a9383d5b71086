"""Kernel times given back to the nodes of the user's own graph, through fusion and renaming."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from studio.api import Graph

_LAYOUT = frozenset({"ReorderInput", "ReorderOutput", "Reorder"})
"""Operators that the runtime added for its own layout; they belong to no node."""

_MARKS = re.compile(
    r"(_nchwc|(_pre)?_d?q|/\w*Fusion\w*/?|_fused\w*|_quant(ized)?|_token_\d+|/DQFusion|_cast_\w+)$"
)
"""What runtimes append to a node's name when they fuse, convert or copy it."""

_ADDED = re.compile(r"^Transpose_token_\d+$")
"""Transposes that the runtime added while it moved others."""

_MADE_UP = re.compile(r"^(\w+?)_(\d+)$")
"""The name that onnxruntime gives to a node without one: operator and position."""

_DECOMPOSED = {"HardSwish": ("HardSigmoid", "Mul")}
"""Operators that a runtime without a kernel for them replaces by nameless others."""

_PARTS = re.compile(r"[/:;,\s]+")


@dataclass(slots=True)
class Attribution:
    """Times of a candidate by node.

    Attributes:
        nodes: Microseconds an inference, by the node's name in the graph.
        kernels: The executed kernels behind each node.
        places: The execution providers that ran them.
        layout_us: Time of layout changes that the runtime added.
        unknown_us: Time of kernels whose node was not found, by kernel.
        providers: Time by execution provider.
        types: Time by the type that was computed in.
    """

    total_us: float = 0.0
    nodes: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    kernels: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    places: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    operators: dict[str, str] = field(default_factory=dict)
    layout_us: float = 0.0
    unknown_us: dict[str, float] = field(default_factory=dict)
    providers: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    types: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def share(self) -> float:
        """Share of the kernels' time that was given back to nodes."""
        return sum(self.nodes.values()) / self.total_us if self.total_us else 0.0

    def to_json(self, run: str) -> dict[str, Any]:
        """Its part of the result; nodes in falling order of time."""
        rows = sorted(self.nodes.items(), key=lambda item: -item[1])
        return {
            "run": run,
            "total_us": self.total_us,
            "attributed": self.share,
            "layout": self.layout_us / self.total_us if self.total_us else 0.0,
            "providers": self._shares(self.providers),
            "types": self._shares(self.types),
            "nodes": [
                {
                    "name": name,
                    "operator": self.operators[name],
                    "us": round(us, 3),
                    "share": us / self.total_us if self.total_us else 0.0,
                    "kernels": self.kernels[name],
                    "providers": sorted(self.places[name]),
                }
                for name, us in rows
            ],
            "unknown": [{"kernel": name, "us": us} for name, us in self.unknown_us.items()],
        }

    def _shares(self, times: Mapping[str, float]) -> dict[str, float]:
        return {name: us / self.total_us for name, us in times.items()} if self.total_us else {}


def attribute(kernels: Sequence[Mapping[str, Any]], graph: Graph) -> Attribution:
    """Give each kernel's time to the node that it came from.

    A kernel is found by its name, by its name without what runtimes append, by the value that it
    makes, or by the longest part of its name that names a node or a value; a nameless one by its
    position, or in the order of the operators that were replaced.

    Args:
        kernels: As a runner's ``operators`` gives them.
        graph: The graph of the file that was measured.
    """
    names = _names(graph) | _nameless(kernels, graph)
    found = Attribution()
    operators = {node.name: node.operator for node in graph.nodes}
    for kernel in kernels:
        us, name = float(kernel["us"]), str(kernel["name"])
        found.total_us += us
        place = str(kernel.get("provider") or "unknown")
        found.providers[place] += us
        found.types[str(kernel.get("type") or "unknown")] += us
        node = find_node(name, names)
        if node is not None:
            found.nodes[node] += us
            found.kernels[node].append(str(kernel["operator"]))
            found.places[node].add(place)
            found.operators[node] = operators[node]
        elif kernel["operator"] in _LAYOUT or _ADDED.match(name):
            found.layout_us += us
        else:
            label = name or str(kernel["operator"])
            found.unknown_us[label] = found.unknown_us.get(label, 0.0) + us
    return found


def find_node(kernel: str, names: Mapping[str, str]) -> str | None:
    """The node that a kernel's name means, or None."""
    name = kernel
    while name:
        if name in names:
            return names[name]
        shorter = _MARKS.sub("", name)
        if shorter == name:
            break
        name = shorter
    parts = [part for part in _PARTS.split(name) if part in names]
    return names[max(parts, key=len)] if parts else None


def _names(graph: Graph) -> dict[str, str]:
    """Node by its name and by each value that it makes; names win over values."""
    names = {value: node.name for node in graph.nodes for value in node.outputs if value}
    names.update({node.name: node.name for node in graph.nodes if node.name})
    return names


def _nameless(kernels: Sequence[Mapping[str, Any]], graph: Graph) -> dict[str, str]:
    """Node by the made-up name of a kernel that has none of its own.

    onnxruntime numbers the nodes of the file (constants are none to it) and goes on numbering
    those that it makes; it replaces operators in the order of the graph.
    """
    nodes = [node for node in graph.nodes if node.operator != "Constant"]
    found = {}
    made: dict[int, tuple[str, str]] = {}
    for kernel in kernels:
        match = _MADE_UP.match(str(kernel["name"]))
        if match is None or match.group(1) != kernel["operator"]:
            continue
        index = int(match.group(2))
        if index >= len(nodes):
            made[index] = (str(kernel["operator"]), str(kernel["name"]))
        elif nodes[index].operator == kernel["operator"]:
            found[str(kernel["name"])] = nodes[index].name
    for operator, parts in _DECOMPOSED.items():
        replaced = [node.name for node in nodes if node.operator == operator]
        starts = [start for start in sorted(made) if _matches(made, start, parts)]
        if len(starts) != len(replaced):
            continue  # some were fused with others: which, nobody tells
        for start, node in zip(starts, replaced, strict=True):
            found.update({made[start + step][1]: node for step in range(len(parts))})
    return found


def _matches(made: Mapping[int, tuple[str, str]], start: int, parts: Sequence[str]) -> bool:
    return all(made.get(start + step, ("",))[0] == part for step, part in enumerate(parts))
