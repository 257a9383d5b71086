"""Matching of two graphs' compute nodes: by reliable names, then by structure.

Names are kept by most tools but not by all, and exporters that number their values give one name
to different things. So names count only where most of them agree with what produces them; the
rest is found by walking from what is matched to its neighbours, a node when it computes the same
of the same inputs. What is skipped on the way (an activation that was fused, a cast that was
inserted) is inferred from its successors.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher

from studio.models.diff.skeleton import Constant, Skeleton, Source

_TRUST = 0.6
"""Share of equal names with equal producers from which on names are believed."""

_COMMUTATIVE = frozenset({"Add", "Mul", "And", "Or", "Xor", "Equal", "Max", "Min", "Sum", "Mean"})


class Matching:
    """Pairs of nodes and of values that are the same in both graphs.

    Attributes:
        nodes: Position in the first graph -> position in the second.
        values: Value of the first -> value of the second; several where a node was fused away.
    """

    def __init__(self, first: Skeleton, second: Skeleton) -> None:
        self.first = first
        self.second = second
        self.nodes: dict[int, int] = {}
        self.reverse: dict[int, int] = {}
        self.values: dict[str, str] = {}
        self.back: dict[str, str] = {}
        self._waiting: deque[tuple[str, str]] = deque()

    @classmethod
    def of(cls, first: Skeleton, second: Skeleton) -> Matching:
        """Match two graphs."""
        found = cls(first, second)
        found._seed()
        found._by_name()
        found._spread_and_skip()
        found._by_order()
        found._spread_and_skip()
        found._close()
        found._spread_and_skip()
        return found

    # What is known to begin with

    def _seed(self) -> None:
        first, second = self.first.graph, self.second.graph
        inputs = (
            [value.name for value in graph.inputs if isinstance(skeleton.origin(value.name), str)]
            for graph, skeleton in ((first, self.first), (second, self.second))
        )
        self._ends(*inputs)
        self._ends(self.first.outputs, self.second.outputs)

    def _ends(self, ours: Iterable[Source], theirs: Iterable[Source]) -> None:
        """Match inputs or outputs by name, and by position if no name is common."""
        left, right = list(ours), list(theirs)
        common = set(left) & set(right)
        if not common and len(left) == len(right):
            for one, other in zip(left, right, strict=True):
                self._pair(one, other)
        for source in left:
            if source in common:
                self._pair(source, source)

    def _by_name(self) -> None:
        names = [name for name in self.first.producer if name in self.second.producer]
        agreeing = [name for name in names if self._same_operator(name, name)]
        if len(agreeing) < _TRUST * len(names):
            return
        for name in agreeing:
            self._match(self.first.producer[name], self.second.producer[name])
        for name in names:
            if self._shapes_fit(name, name):
                self._pair(name, name)

    def _by_order(self) -> None:
        """Match rewritten and renamed stretches by their weights, whose order stays the same."""
        left = [position for position in self.first.compute if position not in self.nodes]
        right = [position for position in self.second.compute if position not in self.reverse]
        for a, b in align(self.first, left, self.second, right):
            self._match(a, b)

    def _close(self) -> None:
        """Match what remains before two matched nodes, regardless of its operators."""
        for a, b in list(self.nodes.items()):
            ours = [source for source in self.first.sources[a] if isinstance(source, str)]
            theirs = [source for source in self.second.sources[b] if isinstance(source, str)]
            left = [s for s in ours if not any(self.same(s, other) for other in theirs)]
            right = [s for s in theirs if not any(self.same(one, s) for one in ours)]
            if len(left) == len(right) == 1 and self._shapes_fit(left[0], right[0]):
                self._pair(left[0], right[0])
                # Known by another name: what lies between was folded into the reader.
                self.values.setdefault(left[0], right[0])

    # From what is known to its neighbours

    def _spread_and_skip(self) -> None:
        self._spread()
        while self._skip():
            self._spread()

    def _spread(self) -> None:
        self._waiting.extend(self.values.items())
        while self._waiting:
            ours, theirs = self._waiting.popleft()
            self._forward(ours, theirs)

    def _forward(self, ours: str, theirs: str) -> None:
        left, right = defaultdict(list), defaultdict(list)
        for position in self.first.readers.get(ours, ()):
            if position not in self.nodes:
                left[self.first.base(position)].append(position)
        for position in self.second.readers.get(theirs, ()):
            if position not in self.reverse:
                right[self.second.base(position)].append(position)
        for operator in left.keys() & right.keys():
            self._among(left[operator], right[operator])

    def _among(self, left: Sequence[int], right: Sequence[int]) -> None:
        """Match nodes of one operator that read one value, the most similar first."""
        fits = [(a, b) for a in left for b in right if self._inputs_fit(a, b)]
        for a, b in sorted(fits, key=lambda pair: (-self._likeness(*pair), pair)):
            self._match(a, b)

    def _likeness(self, a: int, b: int) -> int:
        """Return the similarity of two nodes besides operator and inputs."""
        one, other = self.first.node(a), self.second.node(b)
        kept = sum(other.attributes.get(key) == value for key, value in one.attributes.items())
        shapes = _constants(self.first, a) == _constants(self.second, b)
        return 8 * (one.name == other.name) + 4 * shapes + min(kept, 3)

    def _inputs_fit(self, a: int, b: int) -> bool:
        ours = [source for source in self.first.sources[a] if isinstance(source, str)]
        theirs = [source for source in self.second.sources[b] if isinstance(source, str)]
        if len(ours) != len(theirs):
            return False
        if all(self.same(one, other) for one, other in zip(ours, theirs, strict=True)):
            return True
        turned = self.first.base(a) in _COMMUTATIVE and len(ours) == 2
        return turned and self.same(ours[0], theirs[1]) and self.same(ours[1], theirs[0])

    def same(self, ours: Source, theirs: Source) -> bool:
        """Return whether two values are known to be the same."""
        if isinstance(ours, Constant) or isinstance(theirs, Constant):
            return isinstance(ours, Constant) and isinstance(theirs, Constant)
        return self.values.get(ours) == theirs or self.back.get(theirs) == ours

    def _match(self, a: int, b: int) -> None:
        if a in self.nodes or b in self.reverse:
            return
        self.nodes[a], self.reverse[b] = b, a
        for ours, theirs in zip(
            self.first.node(a).outputs, self.second.node(b).outputs, strict=False
        ):
            if ours and theirs:
                self._pair(ours, theirs)
        self._backward(a, b)

    def _backward(self, a: int, b: int) -> None:
        """Match the inputs of two matched nodes, if the inputs are distinct."""
        ours = [source for source in self.first.sources[a] if isinstance(source, str)]
        theirs = [source for source in self.second.sources[b] if isinstance(source, str)]
        if len(ours) != len(theirs) or (len(ours) > 1 and self.first.base(a) in _COMMUTATIVE):
            return
        for one, other in zip(ours, theirs, strict=True):
            if self._same_operator(one, other) and one not in self.values:
                self._pair(one, other)

    def _pair(self, ours: Source, theirs: Source) -> None:
        if isinstance(ours, Constant) or isinstance(theirs, Constant):
            return
        if ours in self.values or theirs in self.back:
            return
        self.values[ours], self.back[theirs] = theirs, ours
        self._waiting.append((ours, theirs))
        if self._same_operator(ours, theirs):
            self._match(self.first.producer[ours], self.second.producer[theirs])

    # Over what only one of the graphs has

    def _skip(self) -> bool:
        """Let values pass through nodes that the other graph lacks; whether any did."""
        ours = self._absorbed(self.first, self.second, self.values, self.nodes)
        for value, target in ours:
            self.values[value] = target
            self._waiting.append((value, target))
        theirs = self._absorbed(self.second, self.first, self.back, self.reverse)
        for value, target in theirs:
            self.back[value] = target
            self._waiting.append((target, value))
        return bool(ours or theirs)

    @staticmethod
    def _absorbed(
        here: Skeleton, there: Skeleton, known: dict[str, str], matched: dict[int, int]
    ) -> list[tuple[str, str]]:
        """Return outputs of single-input nodes whose readers match those of the input."""
        found = []
        for position in here.compute:
            sources = [source for source in here.sources[position] if isinstance(source, str)]
            output = here.node(position).outputs[0] if here.node(position).outputs else ""
            if position in matched or len(set(sources)) != 1 or output in known:
                continue
            target = known.get(sources[0])
            if target is None:
                continue
            wanted = {_kind(there, reader) for reader in there.readers.get(target, ())}
            behind = {_kind(here, reader) for reader in here.readers.get(output, ())}
            if _kind(here, position) not in wanted and behind & wanted:
                found.append((output, target))
        return found

    def _same_operator(self, ours: str, theirs: str) -> bool:
        a, b = self.first.producer.get(ours), self.second.producer.get(theirs)
        if a is None or b is None:
            return False
        return _kind(self.first, a) == _kind(self.second, b)

    def _shapes_fit(self, ours: str, theirs: str) -> bool:
        one, other = self.first.shape(ours), self.second.shape(theirs)
        if one is None or other is None:
            return True
        numbers = zip(one, other, strict=False)
        return len(one) == len(other) and all(
            not (isinstance(x, int) and isinstance(y, int)) or x == y for x, y in numbers
        )


def _kind(skeleton: Skeleton, position: int) -> tuple[str, int]:
    """Return the kind of a node; a product of two values differs from a scaling by a constant.

    For other operators it does not matter how many of their inputs became constants.
    """
    base = skeleton.base(position)
    if base not in _COMMUTATIVE:
        return base, 0
    return base, sum(isinstance(source, str) for source in skeleton.sources[position])


def _constants(skeleton: Skeleton, position: int) -> list[object]:
    sources = skeleton.sources[position]
    return [source.shape for source in sources if isinstance(source, Constant)]


_WEIGHTY = 2
"""Fewest dimensions of a constant that identifies a node by its weights."""

_MOST = 2000
"""Nodes a side; the time grows with the square of equal ones."""

Key = tuple[str, tuple[tuple[object, ...], ...]]


def align(
    first: Skeleton, left: Sequence[int], second: Skeleton, right: Sequence[int]
) -> Iterator[tuple[int, int]]:
    """Yield pairs of nodes with equal operators and weight shapes, in the order of both.

    Args:
        left, right: Positions of the nodes in question, in topological order.
    """
    ours = [(key, position) for position in left if (key := _key(first, position))]
    theirs = [(key, position) for position in right if (key := _key(second, position))]
    if max(len(ours), len(theirs)) > _MOST:
        return
    matcher = SequenceMatcher(None, [k for k, _ in ours], [k for k, _ in theirs], autojunk=False)
    for block in matcher.get_matching_blocks():
        for offset in range(block.size):
            yield ours[block.a + offset][1], theirs[block.b + offset][1]


def _key(skeleton: Skeleton, position: int) -> Key | None:
    shapes = tuple(
        source.shape
        for source in skeleton.sources[position]
        if isinstance(source, Constant) and source.shape and len(source.shape) >= _WEIGHTY
    )
    return (skeleton.base(position), shapes) if shapes else None
