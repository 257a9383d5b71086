"""The verdicts of a study: each board at the level of the whole table, and all boards together."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace

from studio.profiling.boards.estimates import BoardEstimate, PooledRatio, median_interval, pooled
from studio.profiling.boards.results import BoardFigure, BoardVerdict, OverallVerdict, StudyRow
from studio.profiling.results import Comparison, ProfileResult
from studio.runtime.bench.statistics.bootstrap import ALPHA
from studio.runtime.bench.statistics.verdicts import LEAST_MARGIN, WIDEST_EQUAL, holm

METHOD = (
    "Each board is measured in interleaved rounds with its own A/A control. All verdicts of the "
    "table share one risk of 5 % by Holm's procedure (1979), on Student's distribution. The mean "
    "over boards is that of a random-effects model: variance between boards by Paule and Mandel "
    "(1982), interval by Hartung and Knapp (2001), at least as wide as by inverse variances. Its "
    "margin is the larger of 3 % and the far end of the mean A/A control."
)

Pair = tuple[str, str]


def figures(profile: ProfileResult) -> tuple[BoardFigure, ...]:
    """Return the median of each variant, with its interval."""
    found = []
    for run in profile.runs:
        low, high = median_interval(run.round_ms) or (None, None)
        found.append(
            BoardFigure(run.id, run.latency_ms.p50, low, high, run.state or "", run.reason)
        )
    return tuple(found)


def with_verdicts(rows: Sequence[StudyRow]) -> list[StudyRow]:
    """Return the rows with verdicts that share one risk."""
    compared = {
        (row.target, (one.a, one.b)): one
        for row in rows
        if row.profile
        for one in row.profile.main_verdicts
    }
    estimates = {key: found for key, one in compared.items() if (found := _estimate(one))}
    # Holm's procedure takes texts as names.
    names = {str(number): key for number, key in enumerate(estimates)}
    p_values = {name: estimates[key].p_value(compared[key].margin) for name, key in names.items()}
    levels = {names[name]: level for name, level in holm(p_values, ALPHA).items()}
    made: dict[str, list[BoardVerdict]] = {row.target: [] for row in rows}
    for key, one in compared.items():
        made[key[0]].append(_board_verdict(one, estimates.get(key), levels.get(key)))
    return [replace(row, verdicts=tuple(made[row.target])) for row in rows]


def _estimate(one: Comparison) -> BoardEstimate | None:
    return BoardEstimate.of(one.ratio, one.low, one.high, one.confidence, one.rounds)


def _board_verdict(
    one: Comparison, estimate: BoardEstimate | None, level: tuple[float, bool] | None
) -> BoardVerdict:
    if estimate is None or level is None:
        return BoardVerdict(
            one.a, one.b, one.ratio, None, None, "undecided", one.margin, 0.0, one.rounds,
            one.verdict,
        )  # fmt: skip
    alpha, significant = level
    low, high = estimate.interval(alpha)
    decision = decide(low, high, one.margin, significant)
    return BoardVerdict(
        one.a, one.b, one.ratio, low, high, decision, one.margin, 1 - alpha, one.rounds, one.verdict
    )


def decide(low: float, high: float, margin: float, significant: bool) -> str:
    """Return the verdict on the interval of a ratio; see ``docs/measuring.md``."""
    if significant and high < 1 / (1 + margin):
        return "faster"
    if significant and low > 1 + margin:
        return "slower"
    if low >= 1 / (1 + margin) and high <= 1 + margin and margin <= WIDEST_EQUAL:
        return "equal"
    return "undecided"


def overall(rows: Sequence[StudyRow]) -> tuple[OverallVerdict, ...]:
    """Return the verdict on each variant over all boards; ``with_verdicts`` comes before it."""
    compared: dict[Pair, dict[str, Comparison]] = {}
    for row in rows:
        for one in row.profile.main_verdicts if row.profile else ():
            compared.setdefault((one.a, one.b), {})[row.target] = one
    twin = _twin_margin(rows)
    means = {pair: _pooled(boards) for pair, boards in compared.items()}
    margins = {
        pair: twin or statistics.median(one.margin for one in boards.values())
        for pair, boards in compared.items()
    }
    names = {str(number): pair for number, pair in enumerate(compared)}
    tested = {
        name: mean.p_value(margins[pair])
        for name, pair in names.items()
        if (mean := means[pair]) is not None
    }
    levels = {names[name]: level for name, level in holm(tested, ALPHA).items()}
    return tuple(
        _overall(pair, boards, rows, means[pair], margins[pair], levels.get(pair, (ALPHA, False)))
        for pair, boards in compared.items()
    )


def _pooled(boards: Mapping[str, Comparison]) -> PooledRatio | None:
    return pooled([found for one in boards.values() if (found := _estimate(one))])


def _twin_margin(rows: Sequence[StudyRow]) -> float:
    """Return the larger of 3 % and the far end of the mean A/A control; 0 without controls."""
    twins = [
        BoardEstimate.of(twin.ratio, twin.low, twin.high, twin.confidence, row.profile.rounds_kept)
        for row in rows
        if row.profile and (twin := row.profile.twin)
    ]
    mean = pooled([one for one in twins if one])
    if mean is None:
        return 0.0
    low, high = mean.interval(ALPHA)
    return max(LEAST_MARGIN, math.expm1(max(abs(math.log(low)), abs(math.log(high)))))


def _overall(
    pair: Pair,
    boards: Mapping[str, Comparison],
    rows: Sequence[StudyRow],
    mean: PooledRatio | None,
    margin: float,
    level: tuple[float, bool],
) -> OverallVerdict:
    slower, faster = (_boards_with(rows, pair, word) for word in ("slower", "faster"))
    alpha, significant = level
    low, high = mean.interval(alpha) if mean else (None, None)
    decision = "undecided"
    if low is not None and high is not None:
        decision = decide(low, high, margin, significant)
    # A mean must not hide a board that differs from it.
    named = {word for word, names in (("slower", slower), ("faster", faster)) if names}
    if named - {decision}:
        decision = "mixed"
    beyond = (mean and mean.next_board(ALPHA)) or (None, None)
    found = OverallVerdict(
        a=pair[0],
        b=pair[1],
        boards=len(boards),
        slower_on=slower,
        faster_on=faster,
        ratio=math.exp(mean.log_ratio) if mean else None,
        low=low,
        high=high,
        confidence=1 - alpha,
        margin=margin,
        spread=mean.spread if mean else None,
        heterogeneity=mean.heterogeneity if mean else None,
        next_low=beyond[0],
        next_high=beyond[1],
        verdict=decision,
        text="",
    )
    return replace(found, text=sentence(found))


def _boards_with(rows: Sequence[StudyRow], pair: Pair, word: str) -> tuple[str, ...]:
    return tuple(
        row.target
        for row in rows
        for one in row.verdicts
        if (one.a, one.b) == pair and one.verdict == word
    )


def sentence(found: OverallVerdict) -> str:
    """Return a verdict over all boards as one sentence."""
    if found.ratio is None or found.low is None or found.high is None:
        single = [f"{word} on {names[0]}" for word, names in _named(found) if names]
        rest = ", ".join(single) or "undecided"
        return f"{found.b} against {found.a}: {rest}; a mean needs two boards."
    mean = f"{found.ratio:.3f} of its time on average ({found.low:.3f} to {found.high:.3f})"
    where = "; ".join(f"{word} on {', '.join(names)}" for word, names in _named(found) if names)
    count = f"{found.boards} boards"
    if found.verdict in ("faster", "slower"):
        return f"{found.b} is {found.verdict} than {found.a} over {count}: {mean}."
    if found.verdict == "equal":
        return f"{found.b} and {found.a} are equal within {found.margin:.1%} over {count}: {mean}."
    if found.verdict == "mixed":
        return f"{found.b} against {found.a} differs between {count}: {where}; {mean}."
    return f"{found.b} against {found.a} is undecided over {count}: {mean}."


def _named(found: OverallVerdict) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return ("slower", found.slower_on), ("faster", found.faster_on)
