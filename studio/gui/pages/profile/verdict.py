"""The verdict of a profile in words: the sentence, what it rests on, and what would decide."""

from __future__ import annotations

import math
from collections.abc import Mapping

from studio.gui import figures
from studio.gui.pages.profile import modes, rows
from studio.lazy_dataclass import dataclass
from studio.profiling.results import Comparison, ProfileResult, ProfileRun

MOST_ROUNDS = 10_000
"""The most that the option ``rounds`` takes."""

_MEASURED = {
    modes.LATENCY: "ms p50",
    "throughput": "samples/s",
    "open-loop": "requests/s",
    "sustained": "ms p50 at the end",
    modes.TOKENS_MODE: "tokens/s",
}
"""The figure of each mode, with its unit and statistic."""

_SETTLE_MS = 10.0
"""About how long a candidate runs untimed before each block."""


@dataclass(frozen=True, slots=True)
class Headline:
    """The verdict on one run.

    Attributes:
        word: The state in a word, for the pill.
        sentence: The verdict with its interval.
        detail: What it rests on, and what is still open.
    """

    word: str
    tone: str
    sentence: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class MoreRounds:
    """A run that would probably decide what is inconclusive.

    Attributes:
        rounds: Its rounds, in all.
        seconds: How long they take.
        factor: How many times as many rounds as were planned.
        pairs: What it would decide.
    """

    rounds: int
    seconds: float
    factor: float
    pairs: tuple[str, ...]

    def sentence(self, shown: Headline) -> str:
        """Return the number and the time of the rounds, in a sentence about a new run."""
        is_meant = shown.word == "inconclusive" and len(self.pairs) == 1
        what = "" if is_meant else f" {' and '.join(self.pairs)}"
        return (
            f"A new run of {self.rounds:,} rounds, about {figures.seconds(self.seconds)}, "
            f"would probably decide{what}."
        )


def headline(result: ProfileResult, selected: str, target: str) -> Headline:
    """Return the verdict on the selected run, otherwise on the best one.

    Args:
        selected: Key of a run.
        target: What the machine is called in a sentence.
    """
    names = rows.chart_names(result)
    verdict = _chosen(result, selected)
    if verdict is None:
        run = rows.run_of(result, selected) or next(iter(result.runs), ProfileRun(""))
        return Headline("measured", "", _alone(result, run, target), _basis(result, None))
    word = rows.word(verdict)
    sentence = f"{_sentence(names, verdict, word)}{_figures(result, verdict)}."
    detail = " ".join(filter(None, (_others(result, verdict, names), _basis(result, verdict))))
    return Headline(word, rows.TONES.get(word, ""), sentence, detail)


def _chosen(result: ProfileResult, selected: str) -> Comparison | None:
    own = [each for each in result.main_verdicts if each.b == selected]
    return next(iter(own or sorted(result.main_verdicts, key=_by_ratio)), None)


def _by_ratio(verdict: Comparison) -> float:
    return math.inf if verdict.ratio is None else verdict.ratio


def best(result: ProfileResult) -> str:
    """Return the key of the run that is proposed: the fastest, else an open one, else the first."""
    faster = [
        each
        for each in result.main_verdicts
        if each.verdict == "faster" and is_decided(result, each.b)  # not one with wrong outputs
    ]
    undecided = [each for each in result.main_verdicts if each.verdict == "undecided"]
    found = min(faster, key=_by_ratio, default=next(iter(undecided), None))
    return found.b if found is not None else result.reference


def is_decided(result: ProfileResult, key: str) -> bool:
    """Return whether there is a figure of a run, and no open comparison with the baseline."""
    run = rows.run_of(result, key)
    if run is None or run.state not in ("", "measured"):
        return False
    return all(each.verdict != "undecided" for each in result.main_verdicts if each.b == key)


def _sentence(names: Mapping[str, str], verdict: Comparison, word: str) -> str:
    a, b = (names.get(end, end) for end in (verdict.a, verdict.b))
    ratio, low, high = verdict.ratio, verdict.low, verdict.high
    if word == "faster" and ratio:
        return (
            f"{b} is {1 / ratio:.2f}× faster than {a}{_interval(verdict, _over(high), _over(low))}"
        )
    if word == "slower" and ratio:
        return f"{b} is slower than {a}: {ratio:.2f}× its time{_interval(verdict, low, high)}"
    if word == "equal" and ratio:
        limit = f"{100 * verdict.margin:.0f} %"
        return (
            f"{b} and {a} are equally fast within {limit}: "
            f"time ratio {ratio:.2f}{_interval(verdict, low, high)}"
        )
    if low is None or ratio is None:
        return (
            f"{b} against {a} is inconclusive: {figures.count(verdict.rounds, 'round')} are too few"
        )
    open_at = f" at a margin of {100 * verdict.margin:.3g} %" if rows.is_different(verdict) else ""
    interval = _interval(verdict, low, high)
    return f"{b} against {a} is inconclusive{open_at}: time ratio {ratio:.2f}{interval}"


def _over(value: float | None) -> float | None:
    return 1 / value if value else None


def _interval(verdict: Comparison, low: float | None, high: float | None) -> str:
    """Return the interval with its confidence, which interim checks make higher than 95 %."""
    if low is None or high is None:
        return ""
    decimals = 3 if high - low < figures.NARROW else 2
    share = f"{100 * (verdict.confidence or 0.95):.3g} %"
    return f" ({share} CI {low:.{decimals}f} to {high:.{decimals}f})"


def _figures(result: ProfileResult, verdict: Comparison) -> str:
    """Return the two figures that were compared, with unit and statistic."""
    mode = modes.mode_of(result)
    runs = [rows.run_of(result, key) for key in (verdict.b, verdict.a)]
    b, a = (modes.columns(mode, run)[0] if run else figures.NOTHING for run in runs)
    if figures.NOTHING in (a, b):
        return ""
    return f", {b} against {a} {_MEASURED[mode]}"


def _alone(result: ProfileResult, run: ProfileRun, target: str) -> str:
    """Return the sentence about a run without a comparison."""
    own = modes.sentence(result, run)
    if own:
        return own
    mode, name = modes.mode_of(result), rows.variant_name(run)
    value, other = modes.columns(mode, run)
    if value == figures.NOTHING:
        return f"{name} was not measured on {target}."
    spread = ""
    if mode == modes.LATENCY and len(run.round_ms) >= _ENOUGH:
        ordered = sorted(run.round_ms)
        place = len(ordered) // 20
        ends = (figures.milliseconds(ordered[place]), figures.milliseconds(ordered[-1 - place]))
        spread = f", {other} ms p90. 90 % of its rounds had medians of {ends[0]} to {ends[1]} ms"
    return f"{name} on {target}: {value} {_MEASURED[mode]}{spread}."


_ENOUGH = 10


def _others(result: ProfileResult, shown: Comparison, names: Mapping[str, str]) -> str:
    """Return the comparisons that are open besides the one that is shown."""
    open_ones = [
        names.get(each.b, each.b)
        for each in result.main_verdicts
        if each.verdict == "undecided" and each is not shown
    ]
    if not open_ones:
        return ""
    verb = "is" if len(open_ones) == 1 else "are"
    reference = names.get(shown.a, shown.a)
    return f"{', '.join(open_ones)} against {reference} {verb} inconclusive."


def _basis(result: ProfileResult, verdict: Comparison | None) -> str:
    """Return the rounds and the margin that the sentence rests on, and why it ended early."""
    parts = []
    if result.rounds_kept or result.rounds:
        kept = figures.count(result.rounds_kept or result.rounds, "interleaved round")
        parts.append(f"From {kept}")
    if verdict is not None:
        parts.append(f"differences up to {100 * verdict.margin:.3g} % do not count")
    text = f"{', '.join(parts)}." if parts else ""
    if result.interruption:
        text += f" Interrupted: {result.interruption.rstrip('.')}."
    return text.strip()


def more_rounds(result: ProfileResult, planned: int = 0) -> MoreRounds | None:
    """Return the run that would probably decide all that is inconclusive; None where none would.

    Disturbed rounds do not count, so that as many more are planned.

    Args:
        planned: Rounds that the result was planned with; 0 where that is not known.
    """
    names = rows.chart_names(result)
    undecided = [each for each in result.main_verdicts if each.verdict == "undecided"]
    needed = [each.rounds_needed for each in undecided if each.rounds_needed]
    made = result.rounds or max((each.rounds for each in undecided), default=0)
    if not needed or not made:
        return None
    kept = result.rounds_kept or made - (0 if result.spoiled_kept else result.spoiled) or made
    rounds = math.ceil(max(needed) * made / kept)
    if rounds > MOST_ROUNDS:
        return None
    pairs = tuple(
        f"{names.get(each.b, each.b)} against {names.get(each.a, each.a)}"
        for each in undecided
        if each.rounds_needed
    )
    seconds = rounds * _round_seconds(result, kept)
    return MoreRounds(rounds, seconds, rounds / (planned or made), pairs)


def _round_seconds(result: ProfileResult, kept: int) -> float:
    """Return about how long a round takes: a block of each run, and of the A/A control's."""
    total = 0.0
    for run in result.runs:
        p50 = run.latency_ms.p50
        if p50 is not None:
            block = max(1.0, run.samples / kept) * p50 + max(p50, min(20 * p50, _SETTLE_MS))
            total += block * (2 if result.twin and run.id == result.reference else 1)
    return total / 1000
