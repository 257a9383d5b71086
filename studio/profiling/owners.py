"""The nodes of a user's graph by their names and values, also those within blocks and functions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field

from studio.api import Graph, Node
from studio.lazy_dataclass import dataclass

_MARKS = re.compile(
    r"(_nchwc|(_pre)?_d?q|/\w*Fusion\w*/?|_fused\w*|_quant(ized)?|_token_\d+|/DQFusion|_cast_\w+)$"
)
"""Suffixes that runtimes add to the name of a fused, converted or copied node."""

_PARTS = re.compile(r"[/:;,\s]+")
_MOST_FUSED = 64
_DEEPEST = 16


@dataclass(frozen=True, slots=True)
class Owner:
    """A node of the user's graph.

    Attributes:
        within: Names of the nodes whose blocks or functions hold it, from the outermost one.
    """

    node: Node
    within: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Unique in its graph."""
        return self.node.name

    @property
    def key(self) -> tuple[str, ...]:
        """Unique in the model."""
        return (*self.within, self.node.name)


@dataclass(slots=True)
class Owners:
    """All nodes that can own a kernel, by name and by each value that they make.

    Names of the outer graph win over those of blocks, and names over values.

    Attributes:
        outer: The nodes of the main graph, in its order.
        calls: What each call of a function holds, by the function's name.
    """

    by_name: dict[str, Owner] = field(default_factory=dict)
    by_value: dict[str, Owner] = field(default_factory=dict)
    outer: list[Owner] = field(default_factory=list)
    calls: dict[str, list[list[Owner]]] = field(default_factory=dict)

    @classmethod
    def of(cls, graph: Graph, functions: Mapping[str, Graph] | None = None) -> Owners:
        """Return the owners of a model's graph and of the functions that it calls."""
        owners = cls()
        owners._add(graph, functions or {}, ())
        return owners

    def named(self, text: str) -> Owner | None:
        """Return the node that a kernel's name means, or None.

        The name itself, without what runtimes append, or the longest part of it that names a node
        or a value.
        """
        name = text
        while name:
            owner = self._known(name)
            if owner is not None:
                return owner
            shorter = _MARKS.sub("", name)
            if shorter == name:
                break
            name = shorter
        # The longest part is the most specific one.
        found = [(len(part), owner) for part in _PARTS.split(name) if (owner := self._known(part))]
        return max(found, key=lambda pair: pair[0])[1] if found else None

    def inlined(self, kernels: Iterable[str]) -> None:
        """Learn how onnxruntime called the nodes of functions when it put them in their place.

        It names them after the function; of further calls with a number that grows in the order of
        the graph: ``_inlfunc_Block_mm``, ``_inlfunc_Block_token_7_mm``.
        """
        names = list(kernels)
        for function, calls in self.calls.items():
            first = f"_inlfunc_{function}_"
            numbered = re.compile(re.escape(first) + r"token_(\d+)_")
            numbers = {int(match[1]) for name in names if (match := numbered.match(name))}
            prefixes = [first, *(f"{first}token_{number}_" for number in sorted(numbers))]
            for prefix, owners in zip(prefixes, calls, strict=False):
                for owner in owners:
                    self.by_name.setdefault(prefix + owner.name, owner)
                    for value in owner.node.outputs:
                        self.by_value.setdefault(prefix + value, owner)

    def covered(self, head: Owner, ends: frozenset[str]) -> list[Owner]:
        """Return the nodes of a fused kernel: its head, back to the values in ``ends``."""
        found, waiting = {head.key: head}, [head]
        while waiting and len(found) < _MOST_FUSED:
            for value in waiting.pop().node.inputs:
                owner = None if value in ends else self.by_value.get(value)
                if owner is None or owner.key in found or owner.within != head.within:
                    continue
                if owner.node.operator != "Constant":
                    found[owner.key] = owner
                    waiting.append(owner)
        return list(found.values())

    def _known(self, name: str) -> Owner | None:
        return self.by_name.get(name) or self.by_value.get(name)

    def _add(self, graph: Graph, functions: Mapping[str, Graph], within: tuple[str, ...]) -> None:
        own = [Owner(node, within) for node in graph.nodes]
        for owner in own:
            self.by_name.setdefault(owner.name, owner)
            for value in owner.node.outputs:
                if value:
                    self.by_value.setdefault(value, owner)
        if not within:
            self.outer = own
        if len(within) < _DEEPEST:
            for owner in own:
                for inner in _inner(owner.node, functions):
                    self._add(inner, functions, owner.key)
                called = functions.get(f"{owner.node.domain}:{owner.node.operator}")
                if called is not None:
                    held = [Owner(node, owner.key) for node in called.nodes]
                    self.calls.setdefault(owner.node.operator, []).append(held)


def _inner(node: Node, functions: Mapping[str, Graph]) -> Iterator[Graph]:
    yield from node.blocks.values()
    called = functions.get(f"{node.domain}:{node.operator}")
    if called is not None:
        yield called
