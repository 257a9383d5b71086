"""The search for the first value of a graph that differs from an original."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from studio.api import Graph
from studio.models.walk import read_names

Errors = Callable[[Sequence[str]], Mapping[str, float]]
"""Measures the errors of values; those that cannot be compared are left out."""

Bytes = Callable[[str], int]

MOST_VALUES = 256
MOST_BYTES = 256 << 20
"""Largest size of all values that are compared in one round; one value may be larger."""

MOST_ROUNDS = 10


class Bisection:
    """A search among the values that an output is computed from.

    Errors need not grow along the graph: a difference may vanish and come back. A value is the
    result only if no value differs that it is computed from, as far as they can be compared.
    """

    def __init__(
        self,
        graph: Graph,
        last: str,
        known: Collection[str],
        limit: float,
        size: Bytes,
        most: int | None = None,
    ) -> None:
        """Prepare the search.

        Args:
            last: An output that differs.
            known: The values that both models have.
            limit: Largest error that is no difference.
            size: Bytes of a value.
            most: Most values of a round; None: MOST_VALUES.
        """
        self._reads = {
            name: [one for one in read_names(node) if one]
            for node in graph.nodes
            for name in node.outputs
            if name
        }
        self._place = {name: at for at, name in enumerate(self._reads)}
        self._last, self._limit, self._size, self._most = last, limit, size, most
        self._known = (set(known) & self._before([last])) - {last}
        self._errors: dict[str, float] = {}

    def run(self, errors: Errors) -> tuple[str, float] | None:
        """Return the first value that differs, with its error; None where it was not found."""
        target = self._last
        for _ in range(MOST_ROUNDS):
            names = self._round(target)
            if not names:
                return None if not self._known else (target, self._errors[target])
            found = errors(names)
            self._errors.update(found)
            self._known -= set(names) - set(found)
            if self._last not in self._errors or not self._differs(self._last):
                return None  # with other outputs, the runtime may compute without the difference
            target = min(filter(self._differs, self._errors), key=self._order)
        return None

    def _round(self, target: str) -> list[str]:
        """Return the values to be compared next; none when the target is the result."""
        left = (self._before([target]) & self._known) - self._errors.keys()
        agreeing = [name for name in self._errors if not self._differs(name)]
        names = left - self._before(agreeing) or left & self._nearest(target)
        if not names:
            return []
        found = self._spread(sorted(names, key=self._order))
        return found if self._last in self._errors else [*found, self._last]

    def _spread(self, names: Sequence[str]) -> list[str]:
        """Return as many of the values as fit a round, evenly spread."""
        count = min(len(names), self._most or MOST_VALUES)
        while count > 1:
            found = [names[at * len(names) // count] for at in range(count)]
            if sum(map(self._size, found)) <= MOST_BYTES:
                return found
            count = max(1, count // 2)
        return [names[len(names) // 2]]

    def _before(self, names: Iterable[str]) -> set[str]:
        """Return all values that these are computed from."""
        found: set[str] = set()
        waiting = [one for name in names for one in self._reads.get(name, ())]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += self._reads.get(name, ())
        return found

    def _nearest(self, target: str) -> set[str]:
        """Return the known values that a value is computed from, without any in between."""
        found: set[str] = set()
        seen: set[str] = set()
        waiting = list(self._reads.get(target, ()))
        while waiting:
            name = waiting.pop()
            if name in self._known:
                found.add(name)
            elif name not in seen:
                seen.add(name)
                waiting += self._reads.get(name, ())
        return found

    def _differs(self, name: str) -> bool:
        return self._errors[name] > self._limit

    def _order(self, name: str) -> int:
        return self._place.get(name, -1)
