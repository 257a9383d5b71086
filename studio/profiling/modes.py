"""Figures of the modes besides latency: throughput, open loop, sustained."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy

from studio.profiling.recording import Recording
from studio.profiling.results import (
    BestSetting,
    Comparison,
    Drift,
    ProfileResult,
    ProfileRun,
    Ranking,
    Setting,
    Sustained,
    Throughput,
    ThroughputSetting,
)
from studio.runtime.bench.events import Round
from studio.runtime.bench.facts import OpenLoop, SeriesPoint
from studio.runtime.bench.measures.rounds import times
from studio.runtime.bench.measures.throughput import cell_parts
from studio.runtime.bench.statistics import percentiles
from studio.runtime.bench.statistics.bootstrap import ALPHA, Bootstrap, Interval
from studio.runtime.bench.statistics.verdicts import LEAST_MARGIN, LEAST_ROUNDS, Verdict, compare

THROTTLED_DROP = 0.05
"""A point whose clock is so far below the highest one is throttled, flag or not."""

TENTH = 10


# Throughput


def throughput(recording: Recording, label: str) -> Throughput:
    """Return every setting of a candidate, and the best one."""
    known = (recording.result.settings if recording.result else None) or ()
    measured = [cell for cell in _cells(recording) if cell_parts(cell)[0] == label]
    rows = [_setting(recording, cell) for cell in measured]
    rows += [
        ThroughputSetting(each.streams, each.batch, each.state, each.reason)
        for each in known
        if each.id == label and each.cell not in measured
    ]
    best = [
        BestSetting(row.streams, row.batch, row.per_second, row.low, row.high)
        for row in rows
        if row.per_second
    ]
    return Throughput(
        tuple(sorted(rows, key=lambda row: (row.streams, row.batch))),
        max(best, key=lambda setting: setting.per_second, default=None),
    )


def throughput_verdicts(
    recording: Recording, labels: Sequence[str]
) -> tuple[list[Comparison], Interval | None]:
    """Compare each candidate's best setting with the reference's, as times of a sample.

    The best setting is chosen on every other round, and compared on the others: chosen and
    compared on the same ones, a candidate with more settings would win by luck.
    """
    rounds = recording.clean_rounds
    choosing, judging = rounds[::2], rounds[1::2]
    best = {label: _best_cell(recording, choosing, label) for label in labels}
    reference = recording.reference
    if not best.get(reference):
        return [], None
    found = {label: times(judging, cell) for label, cell in best.items() if cell}
    twin = recording.twin
    if twin is not None:
        found[twin] = _like_best(recording, judging, twin, found[reference])
    verdicts, noise = compare(reference, found, twin)
    return [_with_settings(each, best) for each in verdicts], noise


def _with_settings(verdict: Verdict, best: Mapping[str, str | None]) -> Comparison:
    sides = (cell_parts(str(best[label])) for label in (verdict.a, verdict.b))
    first, second = (Setting(streams, batch) for _, streams, batch in sides)
    return Comparison(
        **vars(verdict), text=verdict.text, cpu=None, a_setting=first, b_setting=second
    )


def _like_best(
    recording: Recording, rounds: Sequence[Round], twin: str, base: Sequence[float]
) -> list[float]:
    """Apply the twin's ratio to the reference, in its setting, to the reference's best."""
    cell = next((each for each in _cells(recording) if cell_parts(each)[0] == twin), None)
    if cell is None:
        return [math.nan] * len(base)
    same = recording.reference + cell[len(twin) :]
    pairs = zip(times(rounds, cell), times(rounds, same), base, strict=True)
    return [time / own * best for time, own, best in pairs]


def _best_cell(recording: Recording, rounds: Sequence[Round], label: str) -> str | None:
    cells = [cell for cell in _cells(recording) if cell_parts(cell)[0] == label]
    taken = {cell: [time for time in times(rounds, cell) if time == time] for cell in cells}
    known = {cell: statistics.median(each) for cell, each in taken.items() if each}
    return min(known, key=lambda cell: known[cell], default=None)


def _cells(recording: Recording) -> list[str]:
    return list(dict.fromkeys(cell for each in recording.rounds for cell in each.times_ns))


def _setting(recording: Recording, cell: str) -> ThroughputSetting:
    _, streams, batch = cell_parts(cell)
    rounds = [each for each in recording.clean_rounds if cell in each.times_ns]
    taken = times(rounds, cell)
    if not taken:
        return ThroughputSetting(streams, batch)
    blocks = [each.blocks[cell] for each in rounds if each.blocks]
    low = high = None
    if len(taken) >= LEAST_ROUNDS:
        interval = Bootstrap(numpy.log(taken).tolist()).ratio(ALPHA)
        low, high = 1e9 / interval.high, 1e9 / interval.low
    return ThroughputSetting(
        streams,
        batch,
        per_second=1e9 / statistics.median(taken),
        low=low,
        high=high,
        samples=sum(block.samples for block in blocks),
        latency_ms=percentiles.latency([time for block in blocks for time in block.latency_ns]),
        cores_used=statistics.median(block.cores for block in blocks),
        rounds=len(rounds),
    )


# Open loop


def unfinished(recording: Recording, label: str) -> OpenLoop | None:
    """Return the trials of a candidate whose search was cut off, or None without trials."""
    trials = recording.trials.get(label)
    if not trials:
        return None
    arrivals = sum(each.arrivals for each in trials)
    return OpenLoop(
        limit_ms=recording.config.limit_ms,
        streams=recording.config.streams[0],
        over_share=sum(each.over for each in trials) / arrivals if arrivals else 0.0,
        arrivals=arrivals,
        trials=tuple(trials),
        reason=f"The search ended early, after {len(trials)} trials.",
    )


def open_loop_verdicts(rows: Sequence[ProfileRun], reference: str) -> list[Comparison]:
    """Return rates of the reference over those of the others, as far as the brackets differ."""
    searches = {row.id: row.open_loop for row in rows if row.open_loop and row.open_loop.kept}
    base = searches.pop(reference, None)
    if base is None or base.rate_per_second is None:
        return []
    return [
        _rates((reference, base, base.rate_per_second), (label, other, other.rate_per_second))
        for label, other in searches.items()
        if other.rate_per_second is not None
    ]


def _rates(a: tuple[str, OpenLoop, float], b: tuple[str, OpenLoop, float]) -> Comparison:
    (first, own, rate), (second, other, other_rate) = a, b
    low = rate / other.fails_at if other.fails_at else None
    high = own.fails_at / other_rate if own.fails_at else None
    decision = "undecided"
    if low is not None and low > 1 + LEAST_MARGIN:
        decision = "slower"
    elif high is not None and high < 1 - LEAST_MARGIN:
        decision = "faster"
    text = (
        f"{second} keeps the limit at {_number(other_rate)} requests a second, "
        f"{first} at {_number(rate)}"
    )
    known = f" ({decision})." if decision != "undecided" else "; that is no certain difference."
    ratio = rate / other_rate
    return Comparison(
        first,
        second,
        ratio,
        low,
        high,
        decision,
        LEAST_MARGIN,
        own.confidence,
        rounds=0,
        text=text + known,
    )


# Sustained


def sustained(recording: Recording, label: str, streams: int) -> Sustained | None:
    """Return the time series of a candidate, and how its end differs from its start."""
    series = recording.points.get(label)
    if not series:
        return None
    first, last = ends(series)
    counted = sum(point.inferences for point in series)
    seconds = series[-1].t_s
    clocks = [point.clock_mhz for point in series if point.clock_mhz]
    heat = [point.temperature_c for point in series if point.temperature_c]
    return Sustained(
        seconds=seconds,
        interval_s=round(seconds / len(series), 3),
        streams=streams,
        inferences=counted,
        per_second=counted / seconds if seconds else None,
        series=tuple(series),
        start_ms=statistics.median(point.p50_ms for point in first),
        end_ms=statistics.median(point.p50_ms for point in last),
        drift=_drift(label, first, last),
        throttled_share=sum(_throttled(point, clocks) for point in series) / len(series),
        clock_drop=_clock_drop(first, last),
        temperature_max_c=max(heat, default=None),
    )


def ranking(rows: Sequence[ProfileRun]) -> Ranking:
    """Return the candidates from fast to slow, at the start and in the end."""
    series = {row.id: row.sustained for row in rows if row.sustained}
    start = tuple(sorted(series, key=lambda label: series[label].start_ms or 0.0))
    end = tuple(sorted(series, key=lambda label: series[label].end_ms or 0.0))
    return Ranking(start, end, changed=start != end)


def ends(series: Sequence[SeriesPoint]) -> tuple[Sequence[SeriesPoint], Sequence[SeriesPoint]]:
    """Return the first and last tenth, extended to enough points for an interval."""
    size = max(len(series) // TENTH, min(LEAST_ROUNDS, len(series) // 2), 1)
    return series[:size], series[-size:]


def _drift(label: str, first: Sequence[SeriesPoint], last: Sequence[SeriesPoint]) -> Drift:
    before, after = (numpy.log([point.p50_ms for point in part]).tolist() for part in (first, last))
    ratio = float(numpy.exp(numpy.median(after) - numpy.median(before)))
    drift = Drift(ratio, margin=LEAST_MARGIN)
    if len(before) >= LEAST_ROUNDS:
        drift = _difference(Bootstrap(before), Bootstrap(after))
    return replace(drift, text=_drift_text(label, drift))


def _difference(before: Bootstrap, after: Bootstrap) -> Drift:
    """Return the ratio of two values with an interval (Donner and Zou's method, 2012)."""
    low_before, high_before = before.interval(ALPHA)
    low_after, high_after = after.interval(ALPHA)
    middle = after.estimate - before.estimate
    low = middle - math.hypot(after.estimate - low_after, high_before - before.estimate)
    high = middle + math.hypot(high_after - after.estimate, before.estimate - low_before)
    bound = math.log1p(LEAST_MARGIN)
    verdict = "undecided"
    if low > bound:
        verdict = "slower"
    elif high < -bound:
        verdict = "faster"
    elif -bound <= low and high <= bound:
        verdict = "steady"
    return Drift(math.exp(middle), math.exp(low), math.exp(high), verdict, LEAST_MARGIN)


def _drift_text(label: str, drift: Drift) -> str:
    if drift.low is None or drift.high is None:
        return f"{label} ran too short to tell whether it stays as fast."
    interval = f"{drift.ratio:.3f} of its first time ({drift.low:.3f} to {drift.high:.3f})"
    words = {
        "slower": f"{label} became slower: in the end it takes {interval}.",
        "faster": f"{label} became faster: in the end it takes {interval}.",
        "steady": f"{label} stayed as fast within {drift.margin:.0%}: {interval}.",
    }
    return words.get(drift.verdict, f"Whether {label} stays as fast is undecided: {interval}.")


def _throttled(point: SeriesPoint, clocks: Sequence[float]) -> bool:
    limit = (1 - THROTTLED_DROP) * max(clocks, default=0.0)
    return 0 < (point.clock_mhz or 0) < limit or "throttled" in point.spoiled


def _clock_drop(first: Sequence[SeriesPoint], last: Sequence[SeriesPoint]) -> float | None:
    sides = [[point.clock_mhz for point in part if point.clock_mhz] for part in (first, last)]
    if not all(sides):
        return None
    return 1 - float(statistics.median(sides[1]) / statistics.median(sides[0]))


# Sentences


def sentences(result: ProfileResult) -> Iterator[str]:
    """Yield a sentence for each row of a mode."""
    for row in result.runs:
        if row.throughput and row.throughput.best:
            best = row.throughput.best
            yield (
                f"{row.id}: {_number(best.per_second)} a second at best, with "
                f"{best.streams} in parallel and a batch of {best.batch}."
            )
        if row.open_loop:
            yield _open_loop_text(row.id, row.open_loop)
        if row.sustained:
            yield row.sustained.drift.text
            share = row.sustained.throttled_share
            if share:
                yield f"{row.id} was throttled {share:.0%} of the time."
    if result.ranking and result.ranking.changed:
        start, end = (", ".join(side) for side in (result.ranking.start, result.ranking.end))
        yield f"The ranking changed: at the start it was {start}; in the end {end}."


def _number(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 1000 else f"{rate:.4g}"


def _open_loop_text(label: str, search: OpenLoop) -> str:
    limit = f"p99 of {search.limit_ms:g} ms"
    if search.kept:
        return (
            f"{label} keeps a {limit} at {_number(search.rate_per_second or 0.0)} "
            f"requests a second ({search.over_share:.2%} late, at most {search.over_high:.2%} "
            f"with {search.confidence:.0%} confidence)."
        )
    if search.kept is False:
        share = f"{search.over_share:.1%} late"
        return f"{label} misses a {limit} at every rate that was tried ({share})."
    return f"{label}: {search.reason}"
