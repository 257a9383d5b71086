"""Choices of types within a time or a divergence, from those within bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from studio_llama_cpp.tool_choice import TypeChoice, best

_PICO = 1e12
"""Picoseconds of a second: sizes are whole numbers."""

_STEPS = 1000
"""Parts of the span of sizes in which the smallest file is found."""


class SearchRefused(Exception):
    """A model, text or budget that the search cannot work with, in one sentence."""


def within_time(
    choices: Mapping[str, Sequence[TypeChoice]],
    groups: Mapping[str, Sequence[str]],
    shapes: Mapping[str, tuple[int, ...]],
    seconds: Mapping[str, float],
    room: float,
) -> dict[str, TypeChoice]:
    """Return the most accurate choice for the time of a token, in picoseconds.

    Raises:
        SearchRefused: when the fastest types are slower.
    """
    timed = {}
    for name, many in choices.items():
        weights = sum(int(np.prod(shapes[one])) for one in groups[name])
        timed[name] = [
            one._replace(size=round(weights * seconds[one.kind] * _PICO)) for one in many
        ]
    try:
        found = best(timed, room)
    except ValueError as error:
        fastest = _PICO / int(str(error).split()[0])
        raise SearchRefused(
            f"{_PICO / room:g} tokens a second are too many for this machine: the fastest types "
            f"write {fastest:.1f}."
        ) from error
    by_kind = {name: {one.kind: one for one in many} for name, many in choices.items()}
    return {name: by_kind[name][one.kind] for name, one in found.items()}


def least_within(
    choices: Mapping[str, Sequence[TypeChoice]], limit: float
) -> dict[str, TypeChoice]:
    """Return the smallest choice whose expected costs are within a limit."""
    low = sum(min(one.size for one in many) for many in choices.values())
    high = sum(max(one.size for one in many) for many in choices.values())
    found, step = best(choices, high), (high - low) // _STEPS + 1
    while high - low > step:
        middle = (low + high) // 2
        tried = best(choices, middle)
        if sum(one.cost for one in tried.values()) <= limit:
            high, found = middle, tried
        else:
            low = middle
    return found
