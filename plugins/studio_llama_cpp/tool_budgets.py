"""Choices of types within a time or a divergence, from those within bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from studio_llama_cpp.tool_choice import Choice, best

_PICO = 1e12
"""Picoseconds of a second: sizes are whole numbers."""

_STEP = 100_000
"""Bytes to which the smallest file is found."""


class Refused(Exception):
    """A model, text or budget that the search cannot work with, in one sentence."""


def within_time(
    choices: Mapping[str, Sequence[Choice]],
    groups: Mapping[str, Sequence[str]],
    shapes: Mapping[str, tuple[int, ...]],
    seconds: Mapping[str, float],
    room: float,
) -> dict[str, Choice]:
    """Return the most accurate choice for the time of a token, in picoseconds.

    Raises:
        Refused: when the fastest types are slower.
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
        raise Refused(
            f"{_PICO / room:g} tokens a second are too many for this machine: the fastest types "
            f"write {fastest:.1f}."
        ) from error
    by_kind = {name: {one.kind: one for one in many} for name, many in choices.items()}
    return {name: by_kind[name][one.kind] for name, one in found.items()}


def least_within(choices: Mapping[str, Sequence[Choice]], limit: float) -> dict[str, Choice]:
    """Return the smallest choice whose expected costs are within a limit."""
    low = sum(min(one.size for one in many) for many in choices.values())
    high = sum(max(one.size for one in many) for many in choices.values())
    found = best(choices, high)
    while high - low > _STEP:
        middle = (low + high) // 2
        tried = best(choices, middle)
        if sum(one.cost for one in tried.values()) <= limit:
            high, found = middle, tried
        else:
            low = middle
    return found
