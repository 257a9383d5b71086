"""The comparison of two graphs: pairs with what changed, and what only one of them has."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from studio.api import Graph, Node
from studio.lazy_dataclass import dataclass
from studio.models.diff.changes import changes
from studio.models.diff.matching import Matching
from studio.models.diff.operators import base
from studio.models.diff.regions import regions
from studio.models.diff.skeleton import Constant, Skeleton, Source
from studio.models.results import Pair, SingleNode

_ABSORBING = frozenset(
    {"Conv", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization", "Attention", "Gelu"}
)
"""Operators that have room for a scale, a bias or an activation."""


@dataclass(frozen=True, slots=True)
class Diff:
    """Comparison of two graphs.

    Attributes:
        compute: Number of the first graph's nodes that compute something of its inputs.
        matched: How many of them have a counterpart.
        folded: Nodes of the first graph that only prepared constants, and that the second lacks.
    """

    compute: int
    matched: int
    folded: int
    pairs: tuple[Pair, ...]
    inserted: tuple[SingleNode, ...]
    removed: tuple[SingleNode, ...]

    @property
    def changed(self) -> int:
        """Pairs that are not the same."""
        return sum(pair.kind != "same" for pair in self.pairs)

    def joined(self, inner: Diff, before_a: str, before_b: str) -> Diff:
        """Return this diff with that of a block, whose names get its path as a prefix."""
        pairs = [
            replace(
                pair,
                a=tuple(before_a + name for name in pair.a),
                b=tuple(before_b + name for name in pair.b),
            )
            for pair in inner.pairs
        ]
        inserted = [replace(one, name=before_b + one.name) for one in inner.inserted]
        removed = [replace(one, name=before_a + one.name) for one in inner.removed]
        return Diff(
            self.compute + inner.compute,
            self.matched + inner.matched,
            self.folded + inner.folded,
            (*self.pairs, *pairs),
            (*self.inserted, *inserted),
            (*self.removed, *removed),
        )


def compare(first: Graph, second: Graph) -> Diff:
    """Compare a graph with what was made of it, blocks included.

    The same graphs give the same diff. The nodes of a block have its path before their names:
    ``If.0/then_branch/Conv.1``.
    """
    found = _Comparison(Skeleton(first), Skeleton(second)).diff()
    ours = {node.name: node for node in first.nodes if node.blocks}
    theirs = {node.name: node for node in second.nodes if node.blocks}
    for pair in found.pairs:
        if len(pair.a) == len(pair.b) == 1 and pair.a[0] in ours and pair.b[0] in theirs:
            one, other = ours[pair.a[0]], theirs[pair.b[0]]
            for key in one.blocks.keys() & other.blocks.keys():
                inner = compare(one.blocks[key], other.blocks[key])
                found = found.joined(inner, f"{one.name}/{key}/", f"{other.name}/{key}/")
    return found


class _Comparison:
    """Interpretation of the matching of two skeletons."""

    def __init__(self, first: Skeleton, second: Skeleton) -> None:
        self.first = first
        self.second = second
        self.matching = Matching.of(first, second)
        self.told_first: set[int] = set(self.matching.nodes)
        self.told_second: set[int] = set(self.matching.reverse)
        self.readers = _known_readers(second)
        self.place = {node.name: number for number, node in enumerate(first.graph.nodes)}

    def diff(self) -> Diff:
        """Compare two graphs."""
        pairs = [*self._matched(), *self._regions()]
        removed = [*self._removed(), *self._passing_removed()]
        inserted = [*self._inserted(), *self._passing_inserted(), *self._stored()]
        lost = len(set(self.first.compute) - self.told_first)
        return Diff(
            compute=len(self.first.compute),
            matched=len(self.first.compute) - lost,
            folded=max(len(self.first.constant) - len(self.second.constant), 0),
            pairs=tuple(sorted(pairs, key=self._place)),
            inserted=tuple(inserted),
            removed=tuple(removed),
        )

    def _place(self, pair: Pair) -> int:
        return self.place.get(pair.a[0], 0) if pair.a else 0

    # Pairs

    def _matched(self) -> Iterator[Pair]:
        for a, b in self.matching.nodes.items():
            found = tuple(changes(self.first, a, self.second, b))
            kind = "changed" if found else "same"
            yield Pair((self.first.node(a).name,), (self.second.node(b).name,), kind, found)

    def _regions(self) -> Iterator[Pair]:
        for region in regions(self.matching):
            ours, theirs = sorted(region.first), sorted(region.second)
            self.told_first.update(ours)
            self.told_second.update(theirs)
            yield self._region(ours, theirs)

    def _region(self, ours: list[int], theirs: list[int]) -> Pair:
        before = [self.first.node(position) for position in ours]
        after = [self.second.node(position) for position in theirs]
        if not before:
            text = f"{_names(after)} was put in"
        elif not after:
            after = self._absorber(ours)
            text = f"{_names(before)} {_absorbed(after)}"
        else:
            text = f"{_names(before)} became {_names(after)}"
        names = tuple(node.name for node in before), tuple(node.name for node in after)
        return Pair(*names, _kind(len(ours), len(theirs)), (), text)

    def _absorber(self, ours: list[int]) -> list[Node]:
        """Return the node of the second graph that computes the result of the region."""
        for position in reversed(ours):
            for output in self.first.node(position).outputs:
                producer = self.second.producer.get(self.matching.values.get(output, ""))
                if producer is not None:
                    return [self.second.node(producer)]
        return []

    # What one side lacks

    def _removed(self) -> Iterator[SingleNode]:
        for position in self.first.compute:
            if position not in self.told_first:
                node = self.first.node(position)
                yield SingleNode(node.name, node.operator, self._fate(position))

    def _fate(self, position: int) -> str:
        readers = [
            r for name in self.first.node(position).outputs for r in self.first.readers[name]
        ]
        if not readers:
            return "nothing read its result"
        if any(self._reads_constant(reader) for reader in readers):
            return "its result became a constant"
        gone = [reader for reader in readers if reader not in self.told_first]
        if gone:
            return self._fate(gone[0])
        return "it was removed"

    def _reads_constant(self, reader: int) -> bool:
        """Return whether a reader's counterpart has a constant where the reader has a value."""
        b = self.matching.nodes.get(reader)
        if b is None:
            return False
        ours = sum(isinstance(source, Constant) for source in self.first.sources[reader])
        return sum(isinstance(source, Constant) for source in self.second.sources[b]) > ours

    def _inserted(self) -> Iterator[SingleNode]:
        for position in self.second.compute:
            if position not in self.told_second:
                node = self.second.node(position)
                yield SingleNode(node.name, node.operator, "the first model has nothing like it")

    # Nodes that hand values on: quantizers, casts

    def _passing_inserted(self) -> Iterator[SingleNode]:
        known = _passing(self.first)
        for position, source in self.second.passing.items():
            node = self.second.node(position)
            key = (node.operator, self._ours(source))
            if known[key] > 0:
                known[key] -= 1
                continue
            yield SingleNode(node.name, node.operator, self._purpose(node, source))

    def _passing_removed(self) -> Iterator[SingleNode]:
        known: Counter[tuple[str, Source]] = Counter()
        for position, source in self.second.passing.items():
            known[(self.second.node(position).operator, self._ours(source))] += 1
        for position, source in self.first.passing.items():
            node = self.first.node(position)
            if known[(node.operator, source)] > 0:
                known[(node.operator, source)] -= 1
                continue
            yield SingleNode(node.name, node.operator, f"{_origin(source)} is read directly")

    def _ours(self, source: Source) -> Source:
        return self.matching.back.get(source, source) if isinstance(source, str) else source

    def _purpose(self, node: Node, source: Source) -> str:
        value = _origin(self._ours(source))
        readers = self._readers_text(node)
        if node.operator in ("QuantizeLinear", "DynamicQuantizeLinear"):
            return f"stores {value} as {self._dtype(node.outputs[0])}{readers}"
        if node.operator == "DequantizeLinear":
            return f"gives {value} back as {self._dtype(node.outputs[0])}{readers}"
        if node.operator == "Cast":
            return f"casts {value} to {self._dtype(node.outputs[0])}{readers}"
        return f"hands {value} on{readers}"

    def _stored(self) -> Iterator[SingleNode]:
        """Yield dequantizers of constants, which the first graph holds as floats."""
        for position in sorted(self.second.constant):
            node = self.second.node(position)
            if node.operator != "DequantizeLinear":
                continue
            origin = self.second.origin(node.outputs[0])
            dtype = origin.dtype if isinstance(origin, Constant) else ""
            text = f"its constant is stored as {dtype or 'integers'}{self._readers_text(node)}"
            yield SingleNode(node.name, node.operator, text)

    def _readers_text(self, node: Node) -> str:
        readers = [name for output in node.outputs for name in self.readers.get(output, ())]
        more = f" and {len(readers) - 1} more" if len(readers) > 1 else ""
        return f" for {readers[0]}{more}" if readers else ""

    def _dtype(self, value: str) -> str:
        kind = self.second.graph.type_of(value)
        return kind.dtype if kind else "another type"


def _passing(skeleton: Skeleton) -> Counter[tuple[str, Source]]:
    return Counter(
        (skeleton.node(position).operator, source) for position, source in skeleton.passing.items()
    )


def _known_readers(skeleton: Skeleton) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for node in skeleton.graph.nodes:
        for name in node.inputs:
            found[name].append(node.name)
    return found


def _origin(source: Source) -> str:
    return source if isinstance(source, str) else "a constant"


def _kind(before: int, after: int) -> str:
    if not before:
        return "added"
    return "split" if after > before else "fused" if after < before else "replaced"


def _absorbed(after: list[Node]) -> str:
    if after and base(after[0]) in _ABSORBING:
        return f"was fused into {_names(after)}"
    return f"was left out: {_names(after)} gives its result" if after else "was left out"


def _names(nodes: Iterable[Node]) -> str:
    """Return the operators of a region, equal ones counted: ``Conv + 2 Add``."""
    counts = Counter(node.operator for node in nodes)
    return " + ".join(f"{n} {name}" if n > 1 else name for name, n in counts.items())
