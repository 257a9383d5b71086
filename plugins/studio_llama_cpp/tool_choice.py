"""The choice of a type for each group of weights under a budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

_ROUNDS = 60


class TypeChoice(NamedTuple):
    """A type that a group can have.

    Attributes:
        cost: What it is expected to add to the divergence.
    """

    kind: str
    size: int
    cost: float


def best(groups: Mapping[str, Sequence[TypeChoice]], room: float) -> dict[str, TypeChoice]:
    """Return the choice of each group with the least cost in all whose sizes fit the room.

    The price of a byte is found by halving. The room that is left goes to the exchanges that lower
    the cost most for their bytes.

    Raises:
        ValueError: when the smallest choices do not fit.
    """
    least = {name: min(many, key=lambda one: one.size) for name, many in groups.items()}
    if _size(least) > room:
        raise ValueError(f"{_size(least)} bytes are the least")
    low, high = 0.0, 1.0
    found = least
    while _size(_at(groups, high)) > room and high < 1e12:
        high *= 8
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        tried = _at(groups, middle)
        if _size(tried) <= room:
            high, found = middle, tried
        else:
            low = middle
    return _filled(groups, found, room)


def frontier(groups: Mapping[str, Sequence[TypeChoice]], count: int = 9) -> list[tuple[int, float]]:
    """Return sizes and costs of the best choices from the smallest size to the largest."""
    low = sum(min(one.size for one in many) for many in groups.values())
    high = sum(max(one.size for one in many) for many in groups.values())
    rooms = [low + (high - low) * step / (count - 1) for step in range(count)]
    found = {_size(chosen): _cost(chosen) for chosen in (best(groups, room) for room in rooms)}
    return sorted(found.items())


def _cost(chosen: Mapping[str, TypeChoice]) -> float:
    return sum(one.cost for one in chosen.values())


def _at(groups: Mapping[str, Sequence[TypeChoice]], price: float) -> dict[str, TypeChoice]:
    return {
        name: min(many, key=lambda one: (one.cost + price * one.size, one.size))
        for name, many in groups.items()
    }


def _filled(
    groups: Mapping[str, Sequence[TypeChoice]], chosen: dict[str, TypeChoice], room: float
) -> dict[str, TypeChoice]:
    chosen, left = dict(chosen), room - _size(chosen)
    while True:
        gains = [
            ((chosen[name].cost - one.cost) / (one.size - chosen[name].size), name, one)
            for name, many in groups.items()
            for one in many
            if 0 < one.size - chosen[name].size <= left and one.cost < chosen[name].cost
        ]
        if not gains:
            return chosen
        _, name, one = max(gains, key=lambda gain: gain[:2])
        left -= one.size - chosen[name].size
        chosen[name] = one


def _size(chosen: Mapping[str, TypeChoice]) -> int:
    return sum(one.size for one in chosen.values())
