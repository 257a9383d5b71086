"""Names that differ in one number, such as the caches of all layers, as one line."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

_FEWEST = 4
_NUMBER = re.compile(r"\d+")

ThingT = TypeVar("ThingT")


def by_pattern(
    things: Iterable[ThingT], name: Callable[[ThingT], str], alike: Callable[[ThingT], Hashable]
) -> list[tuple[str, ThingT, int]]:
    """Return a name, an example and a number for each kind of things, in their order.

    Four or more things that are alike but for the last number of their names become one:
    ``past.*.key``.

    Args:
        alike: Value that things of one kind share.
    """
    groups: dict[tuple[str, Hashable], list[ThingT]] = {}
    for one in things:
        groups.setdefault((_pattern(name(one)), alike(one)), []).append(one)
    found = []
    for (pattern, _), members in groups.items():
        if len(members) >= _FEWEST:
            found.append((pattern, members[0], len(members)))
        else:
            found.extend((name(one), one, 1) for one in members)
    return found


def _pattern(name: str) -> str:
    numbers = list(_NUMBER.finditer(name))
    return name if not numbers else f"{name[: numbers[-1].start()]}*{name[numbers[-1].end() :]}"
