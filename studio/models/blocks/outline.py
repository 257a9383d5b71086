"""The tree of blocks of a graph, in numbers of nodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import accumulate

from studio.api import Graph
from studio.lazy_dataclass import dataclass
from studio.models.blocks.anchors import anchored
from studio.models.blocks.repeats import repeats
from studio.models.blocks.units import Unit, contiguous, units
from studio.models.families import family
from studio.models.walk import is_constant, read_names

_LONGEST_NAME = 1_000
_DEEPEST = 12

Scope = tuple[str, ...]


def scopes(names: Iterable[str]) -> list[Scope]:
    """Return the scope of each name; each common prefix is parsed once."""
    known: dict[str, Scope] = {}
    found: list[Scope] = []
    for name in names:
        around, slash, _own = name.rpartition("/")
        if not slash or name[-1] == "/" or len(name) > _LONGEST_NAME:
            found.append(scope(name))
            continue
        if around not in known:
            known[around] = scope(name)
        found.append(known[around])
    return found


def scope(name: str) -> Scope:
    """Return the modules around a node, the outermost first; none if its name has no scope.

    A part that is only a number belongs to the part before it (``layer.3``). Names beyond any
    exporter's length tell none.
    """
    if len(name) > _LONGEST_NAME:
        return ()
    parts = name.strip("/").split("/") if "/" in name else name.strip(".").split(".")
    parts = [part for part in parts if part]
    joined: list[str] = []
    for part in parts[:-1]:
        if part.isdecimal() and joined and not _is_numbered(joined[-1]):
            joined[-1] = f"{joined[-1]}.{part}"
        else:
            joined.append(part)
    return tuple(joined[:_DEEPEST])


def without_operator(found: Scope, operator: str) -> Scope:
    """Return a scope without the operator itself: of ``p2o.Conv.12`` only ``p2o`` is a module."""
    return found[:-1] if found[-1].casefold() == operator.casefold() else found


def _is_numbered(part: str) -> bool:
    return part.rpartition(".")[2].isdecimal()


def stem(part: str) -> str:
    """Return a part without its number: ``layer`` of ``layer.3``, ``block`` of ``block_3``."""
    return part.rstrip("0123456789").rstrip("._") or part


_FEWEST_NODES = 3
"""A block of fewer nodes is not worth its box."""

_FEWEST_PLAIN = 24
"""Fewest nodes without a scope, in a level, that are searched for repeated structure."""


@dataclass(frozen=True, slots=True)
class Block:
    """A box that holds others.

    Attributes:
        title: What is written on it (``layer.3``).
        scope: The whole path of the module; empty for repeated structure.
        members: Numbers of nodes, and blocks, in an order in which edges go forward.
    """

    title: str
    scope: str
    members: Outline


Outline = tuple["int | Block", ...]
"""Numbers of nodes in the graph, and blocks."""


def outline(graph: Graph, *, deep: bool = True) -> Outline:
    """Return the blocks of a graph; nodes without any are members of the outermost level.

    No two blocks of a level form a cycle: what a module does before and after something else that
    it waits for becomes two blocks.

    Args:
        deep: Also fold what is inside the blocks of the outermost level.
    """
    return _Outliner(graph, deep=deep).level(
        [index for index, node in enumerate(graph.nodes) if not is_constant(node)], 0
    )


def folds(graph: Graph, members: Outline) -> bool:
    """Return whether blocks simplify the graph: at most a third of its boxes are left."""
    return any(isinstance(one, Block) for one in members) and 3 * len(members) <= len(graph.nodes)


class _Outliner:
    """Groups the nodes of one graph, level by level."""

    def __init__(self, graph: Graph, *, deep: bool) -> None:
        self._graph = graph
        self._deep = deep
        self._producer = {
            name: index for index, node in enumerate(graph.nodes) for name in node.outputs if name
        }
        found = scopes(node.name for node in graph.nodes)
        self._scopes: list[Scope] = [
            without_operator(one, node.operator) if one else one
            for one, node in zip(found, graph.nodes, strict=True)
        ]

    @cached_property
    def _reads(self) -> Mapping[int, set[int]]:
        producer = self._producer
        return {
            index: {producer[name] for name in read_names(node) if name in producer} - {index}
            for index, node in enumerate(self._graph.nodes)
        }

    @cached_property
    def _in_order(self) -> bool:
        """Whether each node follows all that it reads."""
        producer = self._producer
        return all(
            producer.get(name, -1) < index
            for index, node in enumerate(self._graph.nodes)
            for name in (read_names(node) if node.blocks else node.inputs)
        )

    def level(self, nodes: Sequence[int], depth: int) -> Outline:
        """Return the members of a block at a depth of the scopes."""
        scopes = self._scopes
        keys = [scopes[node][depth] if len(scopes[node]) > depth else "" for node in nodes]
        grouped = contiguous(nodes, keys) if self._in_order else None
        if grouped is None:
            grouped = units(nodes, keys, self._reads)
        seen: Counter[str] = Counter()
        members: list[int | Block] = []
        for unit in grouped:
            members += self._members(unit, depth, len(nodes), seen)
        return self._with_repeats(members)

    def _members(
        self, unit: Unit, depth: int, of: int, seen: Counter[str]
    ) -> Sequence[int | Block]:
        """Return a unit as one block, or its members where a block would hide the structure."""
        if not unit.key or len(unit.nodes) < _FEWEST_NODES:
            return unit.nodes
        share = len(unit.nodes) / of
        inner: Outline = tuple(unit.nodes)
        if self._deep or share > 0.5:
            inner = self.level(unit.nodes, depth + 1)
        if share == 1 or (share > 0.5 and _is_stack(inner)) or (share > 0.75 and _splits(inner)):
            return inner
        seen[unit.key] += 1
        times = seen[unit.key]
        # A module that became several blocks has its blocks numbered.
        named = unit.key if times == 1 else f"{unit.key} ({times})"
        path = "/".join(self._scopes[unit.nodes[0]][: depth + 1])
        return (Block(named, path, inner),)

    def _with_repeats(self, members: list[int | Block]) -> Outline:
        """Fold stretches of nodes that no scope holds."""
        result: list[int | Block] = []
        start = 0
        while start < len(members):
            end = start
            while end < len(members) and isinstance(members[end], int):
                end += 1
            plain = [one for one in members[start:end] if isinstance(one, int)]
            result += self._nameless(plain) if len(plain) >= _FEWEST_PLAIN else plain
            result += members[end : end + 1]
            start = end + 1
        return tuple(result)

    def _nameless(self, plain: Sequence[int]) -> list[int | Block]:
        """Return blocks around compute-heavy nodes; recurring ones form a block again."""
        operators = {index: self._graph.nodes[index].operator for index in plain}
        groups = anchored(plain, operators, self._reads, self._fed(plain))
        labels = [tuple(operators[index] for index in group) for group in groups]
        result: list[int | Block] = []
        at = 0
        for one in repeats(labels, self._severed(groups)):
            result += self._blocks(groups[at : one.start])
            at = one.start
            for _ in range(one.times):
                stretch = groups[at : at + one.period]
                said = title(operators[index] for group in stretch for index in group)
                result.append(Block(said, "", self._blocks(stretch)))
                at += one.period
        return [*result, *self._blocks(groups[at:])]

    def _blocks(self, groups: Sequence[tuple[int, ...]]) -> Outline:
        nodes = self._graph.nodes
        return tuple(
            Block(title(nodes[index].operator for index in group), "", group)
            if len(group) >= _FEWEST_NODES
            else group[0]
            for group in groups
        )

    def _fed(self, plain: Sequence[int]) -> set[int]:
        """Return the nodes that read an input of the graph or the result of a node elsewhere."""
        nodes, here = self._graph.nodes, set(plain)
        inputs = {one.name for one in self._graph.inputs} - set(self._graph.initializers)

        def comes_from_elsewhere(name: str) -> bool:
            producer = self._producer.get(name)
            if producer is None:
                return name in inputs
            return producer not in here and not is_constant(nodes[producer])

        return {i for i in plain if any(map(comes_from_elsewhere, read_names(nodes[i])))}

    def _severed(self, groups: Sequence[tuple[int, ...]]) -> list[int]:
        """Return how many values cross each boundary between groups."""
        place = {node: at for at, group in enumerate(groups) for node in group}
        last: dict[int, int] = {}
        for node, at in place.items():
            for other in self._reads[node]:
                if other in place and place[other] < at:
                    last[other] = max(last.get(other, 0), at)
        change = [0] * (len(groups) + 2)
        for node, end in last.items():
            change[place[node] + 1] += 1
            change[end + 1] -= 1
        return list(accumulate(change[: len(groups)]))


def _splits(inner: Outline) -> bool:
    return sum(isinstance(one, Block) for one in inner) >= 2


def _is_stack(inner: Outline) -> bool:
    """Return whether a block holds numbered blocks of one kind: the layers of the model."""
    titles = {one.title for one in inner if isinstance(one, Block)}
    kinds = Counter(stem(title) for title in titles if stem(title) != title)
    return max(kinds.values(), default=0) >= 2


_TELLING = ("convolution", "product", "activation", "normalization", "pooling", "control")
_LONGEST = 26


def title(operators: Iterable[str]) -> str:
    """Return at most two operators, the compute-heavy one first: ``Conv + Relu``."""
    counts = Counter(operators)
    places = {name: at for at, name in enumerate(counts)}
    ranked = sorted(counts, key=lambda name: (_rank(name), -counts[name], places[name]))
    if not ranked:
        return "Block"
    first = ranked[0]
    others = (name for name in ranked[1:] if _rank(name) < len(_TELLING))
    second = next((name for name in others if family(name) != family(first)), "")
    both = f"{first} + {second}"
    return both if second and len(both) <= _LONGEST else first


def _rank(name: str) -> int:
    known = family(name)
    return _TELLING.index(known) if known in _TELLING else len(_TELLING)
