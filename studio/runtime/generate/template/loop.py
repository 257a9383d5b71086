"""The variable ``loop`` of a loop."""

from __future__ import annotations

from typing import Callable, Mapping

from .kinds import Unset, Value, Values


class LoopState:
    """The items of a loop and the round that it is in."""

    __slots__ = ("index0", "items")

    def __init__(self, items: Values) -> None:
        self.items = items
        self.index0 = 0

    def read(self, name: str) -> Value:
        """Return what ``loop.name`` is in this round; an ``Unset`` where nothing has the name."""
        rule = _RULES.get(name)
        return Unset("loop." + name) if rule is None else rule(self)


def _beside(loop: LoopState, place: int) -> Value:
    known = 0 <= place < len(loop.items)
    return loop.items[place] if known else Unset("the item before the first or after the last")


_RULES: Mapping[str, Callable[[LoopState], Value]] = {
    "index": lambda loop: loop.index0 + 1,
    "index0": lambda loop: loop.index0,
    "revindex": lambda loop: len(loop.items) - loop.index0,
    "revindex0": lambda loop: len(loop.items) - loop.index0 - 1,
    "first": lambda loop: loop.index0 == 0,
    "last": lambda loop: loop.index0 == len(loop.items) - 1,
    "length": lambda loop: len(loop.items),
    "depth": lambda loop: 1,
    "depth0": lambda loop: 0,
    "previtem": lambda loop: _beside(loop, loop.index0 - 1),
    "nextitem": lambda loop: _beside(loop, loop.index0 + 1),
}
