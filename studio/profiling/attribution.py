"""Kernel times given back to the nodes of the user's own graph, through fusion and renaming."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from studio.api import Graph

_LAYOUT = frozenset({"ReorderInput", "ReorderOutput"})
"""Operators that the runtime added for its own layout; they belong to no node."""

_MARKS = re.compile(
    r"(_nchwc|/\w*Fusion\w*/?|_fused\w*|_quant(ized)?|_token_\d+|/DQFusion|_cast_\w+)$"
)
"""What runtimes append to a node's name when they fuse, convert or copy it."""

_PARTS = re.compile(r"[/:;,\s]+")


@dataclass(slots=True)
class Attribution:
    """Times of a candidate by node.

    Attributes:
        nodes: Microseconds an inference, by the node's name in the graph.
        kernels: The executed kernels behind each node.
        layout_us: Time of layout changes that the runtime added.
        unknown_us: Time of kernels whose node was not found, by kernel.
        providers: Time by execution provider.
        types: Time by the type that was computed in.
    """

    total_us: float = 0.0
    nodes: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    kernels: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
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
    makes, or by the longest part of its name that names a node or a value.

    Args:
        kernels: As a runner's ``operators`` gives them.
        graph: The graph of the file that was measured.
    """
    names = _names(graph)
    found = Attribution()
    operators = {node.name: node.operator for node in graph.nodes}
    for kernel in kernels:
        us = float(kernel["us"])
        found.total_us += us
        found.providers[str(kernel.get("provider") or "unknown")] += us
        found.types[str(kernel.get("type") or "unknown")] += us
        node = find_node(str(kernel["name"]), names)
        if node is not None:
            found.nodes[node] += us
            found.kernels[node].append(str(kernel["operator"]))
            found.operators[node] = operators[node]
        elif kernel["operator"] in _LAYOUT:
            found.layout_us += us
        else:
            label = str(kernel["name"] or kernel["operator"])
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
