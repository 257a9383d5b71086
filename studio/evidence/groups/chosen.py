"""Samples worth to be explained: typical ones, then the worst."""

from __future__ import annotations

from studio.evidence.groups.sample_table import SampleRow, SampleTable

TYPICAL = 2


def chosen_samples(table: SampleTable, most: int) -> tuple[str, ...]:
    """Return the numbers of samples to explain: typical ones, then the worst.

    Typical ones are right with the median confidence; the worst are wrong with the highest, and
    where nothing is wrong, right with the lowest.
    """
    numbered = list(enumerate(table.rows))
    best = max((row.value for row in table.rows), default=0)
    right = sorted((one for one in numbered if one[1].value >= best), key=_confidence)
    wrong = sorted((one for one in numbered if one[1].value < best), key=_confidence, reverse=True)
    typical = right[len(right) // 2 :][: min(TYPICAL, most)]
    worst = [*wrong, *(one for one in right if one not in typical)][: max(0, most - len(typical))]
    return tuple(str(number) for number, _ in (*typical, *worst))


def _confidence(row: tuple[int, SampleRow]) -> float:
    return row[1].confidence or 0.0
