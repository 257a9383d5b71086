"""Verdicts on language models: the time to the first token, and the time of each further one."""

from __future__ import annotations

from typing import NamedTuple, Sequence

from ..events import Round
from ..measures.rounds import times
from ..statistics.bootstrap import Interval
from ..statistics.verdicts import Verdict, compare
from .plan import cell


class MeasuredVerdict(NamedTuple):
    """A verdict on one measure of a number of streams."""

    measure: str
    streams: int
    verdict: Verdict


class Compared(NamedTuple):
    """All verdicts, and the twin's ratio of the tokens (None without a twin)."""

    verdicts: list[MeasuredVerdict]
    twin: Interval | None


def compared(
    rounds: Sequence[Round],
    reference: str,
    labels: Sequence[str],
    twin: str | None,
    streams: Sequence[int],
    alpha: float,
) -> Compared:
    """Compare every candidate with the reference.

    The first number of streams is compared by both times, the further ones by the tokens of all
    streams together. The risk is divided among these, so that it is kept for all at once.

    Args:
        rounds: Those that count.
        labels: All candidates, the twin included.
        alpha: Risk of any false verdict.
    """
    counts = list(dict.fromkeys(streams))
    asked = [("token", counts[0]), ("first", counts[0]), *(("all", one) for one in counts[1:])]
    found: list[MeasuredVerdict] = []
    noise: Interval | None = None
    for measure, count in asked:
        # The twin answers in the first setting alone, whose noise is taken for the others.
        quiet = ("token", counts[0]) if measure == "all" else (measure, count)
        series = {
            label: times(rounds, cell(label, measure, count)) for label in labels if label != twin
        }
        if not any(time == time for time in series.get(reference, ())):
            continue
        if twin is not None:
            series[twin] = _scaled(rounds, reference, twin, quiet, series[reference])
        verdicts, aside = compare(reference, series, twin, alpha / len(asked))
        noise = noise or aside
        found += [MeasuredVerdict(measure, count, one) for one in verdicts]
    return Compared(found, noise)


def _scaled(
    rounds: Sequence[Round],
    reference: str,
    twin: str,
    setting: tuple[str, int],
    base: Sequence[float],
) -> list[float]:
    """Return the reference's times with the twin's ratio of another setting."""
    measured = zip(
        times(rounds, cell(twin, *setting)), times(rounds, cell(reference, *setting)), base
    )
    return [other / own * time for other, own, time in measured]
