"""What the modes besides latency found, row by row: throughput, open loop, sustained."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy

from studio.profiling.recording import Recording
from studio.runtime.bench.measures.rounds import times
from studio.runtime.bench.measures.throughput import cell_parts
from studio.runtime.bench.statistics import percentiles
from studio.runtime.bench.statistics.bootstrap import ALPHA, Bootstrap, Interval
from studio.runtime.bench.statistics.verdicts import LEAST_MARGIN, LEAST_ROUNDS, Verdict, compare

THROTTLED_DROP = 0.05
"""A point whose clock is so far below the highest one is throttled, flag or not."""

TENTH = 10


# Throughput


def throughput(recording: Recording, label: str) -> dict[str, Any]:
    """Every setting of a candidate, and the best one."""
    known = [each for each in recording.result.get("settings", []) if each["id"] == label]
    measured = [cell for cell in _cells(recording) if cell_parts(cell)[0] == label]
    failed = [each for each in known if each["cell"] not in measured]
    rows = [_setting(recording, cell) for cell in measured]
    rows += [
        _empty(each["streams"], each["batch"]) | {key: each[key] for key in ("state", "reason")}
        for each in failed
    ]
    best = max((row for row in rows if row["per_second"]), key=_rate, default=None)
    keys = ("streams", "batch", "per_second", "low", "high")
    return {
        "settings": sorted(rows, key=lambda row: (row["streams"], row["batch"])),
        "best": {key: best[key] for key in keys} if best else None,
    }


def throughput_verdicts(
    recording: Recording, labels: Sequence[str]
) -> tuple[list[dict[str, Any]], Interval | None]:
    """Each candidate's best setting against the reference's, as times of a sample.

    The best setting is chosen on every other round, and compared on the others: chosen and
    compared on the same ones, whoever has more settings would win by luck.
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


def _with_settings(verdict: Verdict, best: Mapping[str, str | None]) -> dict[str, Any]:
    row = verdict.to_json() | {"cpu": None}
    for side in ("a", "b"):
        _, streams, batch = cell_parts(str(best[row[side]]))
        row[f"{side}_setting"] = {"streams": streams, "batch": batch}
    return row


def _like_best(
    recording: Recording, rounds: Sequence[Mapping[str, Any]], twin: str, base: Sequence[float]
) -> list[float]:
    """The twin's ratio to the reference in the setting that it has, on the reference's best."""
    cell = next((each for each in _cells(recording) if cell_parts(each)[0] == twin), None)
    if cell is None:
        return [math.nan] * len(base)
    same = recording.reference + cell[len(twin) :]
    pairs = zip(times(rounds, cell), times(rounds, same), base, strict=True)
    return [time / own * best for time, own, best in pairs]


def _best_cell(recording: Recording, rounds: Sequence[Mapping[str, Any]], label: str) -> str | None:
    cells = [cell for cell in _cells(recording) if cell_parts(cell)[0] == label]
    taken = {cell: [time for time in times(rounds, cell) if time == time] for cell in cells}
    known = {cell: statistics.median(each) for cell, each in taken.items() if each}
    return min(known, key=lambda cell: known[cell], default=None)


def _cells(recording: Recording) -> list[str]:
    return list(dict.fromkeys(cell for each in recording.rounds for cell in each["times_ns"]))


def _empty(streams: int, batch: int) -> dict[str, Any]:
    return {
        "streams": streams,
        "batch": batch,
        "state": "measured",
        "reason": "",
        "per_second": None,
        "low": None,
        "high": None,
        "samples": 0,
        "latency_ms": percentiles.latency([]),
        "cores_used": None,
        "rounds": 0,
    }


def _setting(recording: Recording, cell: str) -> dict[str, Any]:
    _, streams, batch = cell_parts(cell)
    rounds = [each for each in recording.clean_rounds if cell in each["times_ns"]]
    taken = times(rounds, cell)
    blocks = [each["blocks"][cell] for each in rounds]
    single = [time for block in blocks for time in block["latency_ns"]]
    row = _empty(streams, batch)
    if not taken:
        return row
    row |= {
        "per_second": 1e9 / statistics.median(taken),
        "samples": sum(block["samples"] for block in blocks),
        "latency_ms": percentiles.latency(single),
        "cores_used": statistics.median(block["cores"] for block in blocks),
        "rounds": len(rounds),
    }
    if len(taken) >= LEAST_ROUNDS:
        interval = Bootstrap(numpy.log(taken).tolist()).ratio(ALPHA)
        row |= {"low": 1e9 / interval.high, "high": 1e9 / interval.low}
    return row


def _rate(row: Mapping[str, Any]) -> float:
    return float(row["per_second"])


# Open loop


def unfinished(recording: Recording, label: str) -> dict[str, Any] | None:
    """The trials of a candidate whose search was cut off; None where there are none."""
    trials = recording.trials.get(label)
    if not trials:
        return None
    late, arrivals = (sum(each[key] for each in trials) for key in ("over", "arrivals"))
    return {
        "limit_ms": recording.config.get("limit_ms"),
        "percentile": 99,
        "streams": int(recording.config.get("streams", [1])[0]),
        "capacity_per_second": None,
        "rate_per_second": None,
        "confidence": None,
        "kept": None,
        "over_share": late / arrivals if arrivals else 0.0,
        "over_low": None,
        "over_high": None,
        "fails_at": None,
        "arrivals": arrivals,
        "start_delay_us": {"p50": None, "p99": None},
        "trials": trials,
        "reason": f"The search ended early, after {len(trials)} trials.",
    }


def open_loop_verdicts(rows: Sequence[Mapping[str, Any]], reference: str) -> list[dict[str, Any]]:
    """Rates of the reference over those of the others, as far as the brackets tell them apart."""
    found = {row["id"]: row["open_loop"] for row in rows if row.get("open_loop")}
    base = found.pop(reference, None)
    if base is None or base["rate_per_second"] is None or not base["kept"]:
        return []
    return [
        _rates((reference, base), (label, other)) for label, other in found.items() if other["kept"]
    ]


def _rates(a: tuple[str, Mapping[str, Any]], b: tuple[str, Mapping[str, Any]]) -> dict[str, Any]:
    first, second = a[1]["rate_per_second"], b[1]["rate_per_second"]
    low = first / b[1]["fails_at"] if b[1]["fails_at"] else None
    high = a[1]["fails_at"] / second if a[1]["fails_at"] else None
    decision = "undecided"
    if low is not None and low > 1 + LEAST_MARGIN:
        decision = "slower"
    elif high is not None and high < 1 - LEAST_MARGIN:
        decision = "faster"
    verdict = Verdict(
        a[0], b[0], first / second, low, high, decision, LEAST_MARGIN, a[1]["confidence"], 0
    )
    text = (
        f"{b[0]} keeps the limit at {_number(second)} requests a second, {a[0]} at {_number(first)}"
    )
    known = f" ({decision})." if decision != "undecided" else "; that is no certain difference."
    return verdict.to_json() | {"text": text + known, "cpu": None}


# Sustained


def sustained(recording: Recording, label: str, streams: int) -> dict[str, Any] | None:
    """The time series of a candidate, and how its end differs from its start."""
    series = recording.points.get(label)
    if not series:
        return None
    first, last = ends(series)
    counted = sum(point["inferences"] for point in series)
    seconds = series[-1]["t_s"]
    clocks = [point["clock_mhz"] for point in series if point["clock_mhz"]]
    heat = [point["temperature_c"] for point in series if point["temperature_c"]]
    return {
        "seconds": seconds,
        "interval_s": round(seconds / len(series), 3),
        "streams": streams,
        "inferences": counted,
        "per_second": counted / seconds if seconds else None,
        "series": series,
        "start_ms": statistics.median(point["p50_ms"] for point in first),
        "end_ms": statistics.median(point["p50_ms"] for point in last),
        "drift": _drift(label, first, last),
        "throttled_share": sum(_throttled(point, clocks) for point in series) / len(series),
        "clock_drop": _clock_drop(first, last),
        "temperature_max_c": max(heat, default=None),
    }


def ranking(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """From fast to slow, at the start and in the end."""
    found = {row["id"]: row["sustained"] for row in rows if row.get("sustained")}
    start = sorted(found, key=lambda each: found[each]["start_ms"])
    end = sorted(found, key=lambda each: found[each]["end_ms"])
    return {"start": start, "end": end, "changed": start != end}


def ends(
    series: Sequence[Mapping[str, Any]],
) -> tuple[Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]]]:
    """The first and the last tenth, but enough points for an interval where there are any."""
    size = max(len(series) // TENTH, min(LEAST_ROUNDS, len(series) // 2), 1)
    return series[:size], series[-size:]


def _drift(
    label: str, first: Sequence[Mapping[str, Any]], last: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    before, after = (
        numpy.log([point["p50_ms"] for point in part]).tolist() for part in (first, last)
    )
    ratio = float(numpy.exp(numpy.median(after) - numpy.median(before)))
    drift: dict[str, Any] = {"ratio": ratio, "low": None, "high": None, "verdict": "undecided"}
    if len(before) >= LEAST_ROUNDS:
        drift |= _difference(Bootstrap(before), Bootstrap(after))
    drift["margin"] = LEAST_MARGIN
    return drift | {"text": _drift_text(label, drift)}


def _difference(before: Bootstrap, after: Bootstrap) -> dict[str, Any]:
    """Ratio of the two with an interval from theirs (Donner and Zou's method, 2012)."""
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
    values = {"ratio": math.exp(middle), "low": math.exp(low), "high": math.exp(high)}
    return values | {"verdict": verdict}


def _drift_text(label: str, drift: Mapping[str, Any]) -> str:
    if drift["low"] is None:
        return f"{label} ran too short to tell whether it stays as fast."
    interval = f"{drift['ratio']:.3f} of its first time ({drift['low']:.3f} to {drift['high']:.3f})"
    words = {
        "slower": f"{label} became slower: in the end it takes {interval}.",
        "faster": f"{label} became faster: in the end it takes {interval}.",
        "steady": f"{label} stayed as fast within {drift['margin']:.0%}: {interval}.",
    }
    return words.get(drift["verdict"], f"Whether {label} stays as fast is undecided: {interval}.")


def _throttled(point: Mapping[str, Any], clocks: Sequence[float]) -> bool:
    slow = bool(point["clock_mhz"]) and point["clock_mhz"] < (1 - THROTTLED_DROP) * max(clocks)
    return slow or "throttled" in point["spoiled"]


def _clock_drop(
    first: Sequence[Mapping[str, Any]], last: Sequence[Mapping[str, Any]]
) -> float | None:
    sides = [[point["clock_mhz"] for point in part if point["clock_mhz"]] for part in (first, last)]
    if not all(sides):
        return None
    return 1 - float(statistics.median(sides[1]) / statistics.median(sides[0]))


# Sentences


def sentences(result: Mapping[str, Any]) -> Iterator[str]:
    """What the rows of a mode say, one for each."""
    for row in result["runs"]:
        if row.get("throughput") and row["throughput"]["best"]:
            best = row["throughput"]["best"]
            yield (
                f"{row['id']}: {_number(best['per_second'])} a second at best, with "
                f"{best['streams']} in parallel and a batch of {best['batch']}."
            )
        if row.get("open_loop"):
            yield _open_loop_text(row["id"], row["open_loop"])
        if row.get("sustained"):
            yield row["sustained"]["drift"]["text"]
            share = row["sustained"]["throttled_share"]
            if share:
                yield f"{row['id']} was throttled {share:.0%} of the time."
    if result.get("ranking", {}).get("changed"):
        start, end = (", ".join(result["ranking"][side]) for side in ("start", "end"))
        yield f"The ranking changed: at the start it was {start}; in the end {end}."


def _number(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 1000 else f"{rate:.4g}"


def _open_loop_text(label: str, found: Mapping[str, Any]) -> str:
    limit = f"p99 of {found['limit_ms']:g} ms"
    if found["kept"]:
        return (
            f"{label} keeps a {limit} at {_number(found['rate_per_second'])} requests a second "
            f"({found['over_share']:.2%} late, at most {found['over_high']:.2%} "
            f"with {found['confidence']:.0%} confidence)."
        )
    if found["kept"] is False:
        share = f"{found['over_share']:.1%} late"
        return f"{label} misses a {limit} at every rate that was tried ({share})."
    return f"{label}: {found['reason']}"
