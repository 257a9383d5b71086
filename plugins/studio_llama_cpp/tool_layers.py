"""Figures of the weights of all layers, from those of some layers.

Measuring every weight takes the number of layers squared. Figures change little from a layer to
the next. So only the first and last ones and every third layer are measured.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

_LAYER = re.compile(r"blk\.(\d+)\.(.+)")
_ENDS, _STEP, _ALL = 2, 3, 12
"""Layers at each end that are measured, the step between, and up to how many layers all are."""


def measured(names: Sequence[str]) -> list[str]:
    """Return the weights to measure: those of no layer, of the ends, and of every third layer."""
    layers = {number for number, _ in map(_parts, names) if number >= 0}
    last = max(layers, default=0)
    ends = set(range(_ENDS)) | {last - number for number in range(_ENDS)}
    kept = layers if last < _ALL else ends | set(range(0, last, _STEP))
    return [name for name in names if _parts(name)[0] in kept | {-1}]


def completed(found: Mapping[str, float], names: Sequence[str]) -> dict[str, float]:
    """Return positive figures of all weights; those between two layers lie on a geometric line.

    A weight whose kind was measured nowhere has the geometric mean of all.
    """
    known: dict[str, list[tuple[int, float]]] = {}
    for name, value in found.items():
        number, kind = _parts(name)
        known.setdefault(kind, []).append((number, float(np.log(value))))
    every = float(np.mean([value for many in known.values() for _, value in many]))
    return {name: found.get(name) or _between(name, known, every) for name in names}


def _between(name: str, known: Mapping[str, list[tuple[int, float]]], every: float) -> float:
    number, kind = _parts(name)
    places, values = zip(*sorted(known.get(kind, [(0, every)])), strict=True)
    return float(np.exp(np.interp(number, places, values)))


def _parts(name: str) -> tuple[int, str]:
    match = _LAYER.fullmatch(name)
    return (int(match[1]), match[2]) if match else (-1, name)
