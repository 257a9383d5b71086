"""Rules of an accelerator for the nodes of a graph, and the operators that it has."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path

from studio.api.chips import PlacedNode
from studio.api.graph import Graph, Initializer, Node, TensorType
from studio.lazy_dataclass import dataclass

FIXED = "Fix the open sizes with --input when the model is exported."
"""The remedy for open sizes on a chip that has none."""
_UNKNOWN = TensorType("unknown", None)


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """A rule that a node breaks, with its reason and what ``PlacedNode`` has of a remedy."""

    reason: str
    remedy: str = ""
    preset: str = ""


NodeRule = Callable[[Graph, Node], BrokenRule | None]
"""Looks at one node of a graph; None where the node keeps to the rule."""


@dataclass(frozen=True, slots=True)
class OperatorTable:
    """The operators that a chip has, as they were published.

    Attributes:
        holder: What has them, as a sentence names it: ``the Edge TPU``, ``the list for ...``.
        remedies: Sentences by operator, for those that it has not.
        domains: Of these operators; one of another domain only has the same name.
    """

    holder: str
    operators: frozenset[str]
    remedies: Mapping[str, str] = field(default_factory=dict)
    domains: tuple[str, ...] = ("",)

    def broken(self, graph: Graph, node: Node) -> BrokenRule | None:
        """Return the reason against an operator that the table has not."""
        if node.operator in self.operators and node.domain in self.domains:
            return None
        holder = self.holder[0].upper() + self.holder[1:]
        return BrokenRule(f"{holder} has no {node.operator}.", self.remedies.get(node.operator, ""))


def read_operators(path: Path, *keys: str) -> frozenset[str]:
    """Return the operators of a table, which lies next to the rules as JSON.

    Args:
        keys: Of the lists of operators there.
    """
    table: Mapping[str, Sequence[str]] = json.loads(path.read_text(encoding="utf-8"))
    return frozenset(name for key in keys or ("operators",) for name in table[key])


def placed(graph: Graph, rules: Sequence[NodeRule]) -> Iterator[PlacedNode]:
    """Yield the nodes of a graph, each with the first rule that it breaks.

    A node with blocks (a loop, a branch) is on the chip only with all nodes in them.
    """
    for node in graph.nodes:
        broken = first_broken(graph, node, rules)
        if broken is None:
            yield PlacedNode(node.name, node.operator, True)
            continue
        yield PlacedNode(
            node.name, node.operator, False, broken.reason, broken.remedy, broken.preset
        )


def first_broken(graph: Graph, node: Node, rules: Sequence[NodeRule]) -> BrokenRule | None:
    """Return the first rule that a node or one in its blocks breaks."""
    for rule in rules:
        if broken := rule(graph, node):
            return broken
    for block in node.blocks.values():
        for inner in block.nodes:
            if broken := first_broken(block, inner, rules):
                return BrokenRule(f"In its block: {broken.reason}", broken.remedy, broken.preset)
    return None


def values_of(graph: Graph, names: Iterable[str]) -> Iterator[tuple[str, TensorType | None]]:
    """Yield the values of these names that are computed, not constant, with their types."""
    for name in names:
        if name and name not in graph.initializers:
            yield name, graph.type_of(name)


def is_open(kind: TensorType | None) -> bool:
    """Return whether a size of a value is not known before it is computed."""
    return (
        kind is None or kind.shape is None or not all(isinstance(size, int) for size in kind.shape)
    )


def without_open_sizes(graph: Graph, node: Node) -> BrokenRule | None:
    """Return the first value of a node with open sizes, for a chip that takes fixed ones alone."""
    for name, kind in values_of(graph, (*node.inputs, *node.outputs)):
        if is_open(kind):
            return BrokenRule(f"{name!r} has open sizes.", FIXED)
    return None


def folded(graph: Graph, shapes: frozenset[str]) -> Graph:
    """Return a graph without the nodes that a compiler computes before it places any.

    Args:
        shapes: Operators that return the sizes of a value, which are known where they are fixed.
    """
    constants = dict(graph.initializers)
    left = []
    for node in graph.nodes:
        if not _is_constant(graph, node, constants, shapes):
            left.append(node)
            continue
        for name in node.outputs:
            constants[name] = Initializer(name, graph.type_of(name) or _UNKNOWN, 0)
    return replace(graph, nodes=tuple(left), initializers=constants)


def _is_constant(
    graph: Graph, node: Node, constants: Collection[str], shapes: frozenset[str]
) -> bool:
    if not node.inputs or node.blocks or node.operator.startswith("Random"):
        return False
    if node.operator in shapes and not is_open(graph.type_of(node.inputs[0])):
        return True
    return all(not name or name in constants for name in node.inputs)
