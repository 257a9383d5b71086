"""Published rules of an accelerator as a compiler that writes nothing.

For chips whose compiler is not to be had here. A table of the operators comes from the chip's
makers or from measurements of others; a rule looks at one node, and at the types of its values. No
rule proves that a device takes the node: such a verdict has ``rules`` for its basis.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from studio.api.chips import HOW, Compiled, PlacedNode
from studio.api.errors import InvalidModel, Unavailable
from studio.api.graph import Graph, Node, TensorType
from studio.api.progress import Progress

FIXED = "Fix the open sizes with --input when the model is exported."
"""The remedy for open sizes on a chip that has none."""


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
    """

    holder: str
    operators: frozenset[str]
    remedies: Mapping[str, str]

    def broken(self, graph: Graph, node: Node) -> BrokenRule | None:
        """Return the reason against an operator that the table has not."""
        if node.operator in self.operators:
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
        kind is None
        or kind.shape is None
        or not all(isinstance(size, int) for size in kind.shape)
    )


def without_open_sizes(graph: Graph, node: Node) -> BrokenRule | None:
    """Return the first value of a node with open sizes, for a chip that takes fixed ones alone."""
    for name, kind in values_of(graph, (*node.inputs, *node.outputs)):
        if is_open(kind):
            return BrokenRule(f"{name!r} has open sizes.", FIXED)
    return None


class RulesCompiler:
    """A compiler whose verdicts are rules.

    A plugin derives its own class with ``id``, ``title``, ``chip`` (as in a sentence) and
    ``rules_version`` (where the rules are from), and gives it ``graph`` and ``rules``.
    """

    id = ""
    title = ""
    chip = ""
    how = HOW[-1]
    rules_version = ""

    def version(self) -> str:
        """Return where the rules are from, and of when they are."""
        return self.rules_version

    def graph(self, model: Path, folder: Path, progress: Progress) -> Graph:
        """Read the graph of the model that the rules look at."""
        raise NotImplementedError

    def rules(self, settings: Mapping[str, object]) -> Sequence[NodeRule]:
        """Return the rules of a chip with these settings."""
        raise NotImplementedError

    def place(self, graph: Graph, settings: Mapping[str, object]) -> Iterator[PlacedNode]:
        """Yield the nodes as the rules place them."""
        yield from placed(graph, self.rules(settings))

    def check(
        self,
        graph: Graph,
        settings: Mapping[str, object],
        inputs: Mapping[str, Sequence[int]],
    ) -> None:
        """Raise InvalidModel for a model that the chip refuses before any node of it."""

    def warnings(
        self, graph: Graph, nodes: Sequence[PlacedNode], settings: Mapping[str, object]
    ) -> Iterator[str]:
        """Yield what the rules do not know, a sentence each."""
        yield from ()

    def compile(
        self,
        model: Path,
        output: Path,
        settings: Mapping[str, object],
        inputs: Mapping[str, Sequence[int]],
        folder: Path,
        progress: Progress,
    ) -> Compiled:
        """Place every node by the rules; nothing is written.

        Raises:
            InvalidModel: when the rules leave no node to the chip.
        """
        graph = self.graph(model, folder, progress)
        self.check(graph, settings, inputs)
        nodes = tuple(self.place(graph, settings))
        if not any(node.on_chip for node in nodes):
            raise InvalidModel(f"No operator runs on {self.chip}. {_first_reason(nodes)}")
        weights = sum(one.nbytes for one in graph.initializers.values())
        return Compiled(
            f"{self.title}, {self.version()}",
            nodes,
            {"parameter_bytes": float(weights)},
            warnings=tuple(self.warnings(graph, nodes, settings)),
        )

    def answer(
        self,
        model: Path,
        samples: Path,
        answers: Path,
        folder: Path,
        progress: Progress,
        *,
        values: Sequence[str] = (),
    ) -> Mapping[str, str]:
        """Refuse: nothing here computes as the chip does."""
        raise Unavailable(f"These are rules, and nothing here computes as {self.chip} does.")


def _first_reason(nodes: Sequence[PlacedNode]) -> str:
    return next((f"{one.name}: {one.reason} {one.remedy}".strip() for one in nodes), "It is empty.")
