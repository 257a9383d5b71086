"""Samples worth to be explained: typical ones, then the worst."""

from __future__ import annotations

from studio.features.evidence.groups.sample_table import SampleRow, SampleTable

TYPICAL = 2


def chosen_samples(table: SampleTable, most: int) -> tuple[str, ...]:
    """Return the numbers of samples to explain: typical ones, then the worst.

    Typical ones are right with the median confidence. The worst have the lowest figure, and of
    equal ones the highest confidence; where nothing is wrong, they are right with the lowest. A
    detector explains what it has found, so pictures without a box are left out.
    """
    numbered = list(enumerate(table.rows))
    numbered = [one for one in numbered if one[1].answer] or numbered
    best = max((row.value for row in table.rows), default=0)
    right = sorted((one for one in numbered if one[1].value >= best), key=_confidence)
    wrong = sorted((one for one in numbered if one[1].value < best), key=_badness)
    typical = right[len(right) // 2 :][: min(TYPICAL, most)]
    worst = [*wrong, *(one for one in right if one not in typical)][: max(0, most - len(typical))]
    return tuple(str(number) for number, _ in (*typical, *worst))


def _badness(row: tuple[int, SampleRow]) -> tuple[float, float]:
    return row[1].value, -_confidence(row)


def _confidence(row: tuple[int, SampleRow]) -> float:
    return row[1].confidence or 0.0
