"""A compiler whose verdicts are rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from studio.api.chip_rules.node_rules import NodeRule, placed
from studio.api.chips import HOW, Compiled, PlacedNode
from studio.api.errors import InvalidModel, Unavailable
from studio.api.graph import Graph
from studio.api.progress import Progress


class RulesCompiler:
    """A compiler whose verdicts are rules.

    A plugin derives its own class and gives it ``graph`` and ``rules``.

    Attributes:
        chip: As a sentence names it: ``the Edge TPU``.
        rules_version: Where the rules are from.
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
