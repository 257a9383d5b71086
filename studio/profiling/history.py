"""Profiles that were made: one line for each, any two compared, and the document of one."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path

from studio.api import UsageError
from studio.documents.dataclass_json import InvalidDocument, JsonValue, from_json, to_json
from studio.lazy_dataclass import dataclass
from studio.profiling.results import ProfileResult, ProfileRun
from studio.quantization.results import figures_of
from studio.registry import Registry, RunRecord, VariantRecord
from studio.runtime.bench.facts import Environment
from studio.runtime.shared.statistics import Z

STEP = "profile"
_DATA = "data"
_RATES = ("throughput", "open-loop")
"""Modes whose figure is better when it is larger."""

_LEAST_ROUNDS = 8
_LEAST_MARGIN = 0.03

_MACHINE = ("cpu", "board", "arch", "cores", "usable_cores", "kernel", "os")
_SETTINGS = ("governor", "governors", "power_mode", "turbo", "supply", "cpu_quota", "runtimes")
"""Keys of the environment: another machine, and the same one in another state."""

Figure = tuple[float | None, float | None, float | None]
"""The figure that a mode is about, and the ends of its interval."""


@dataclass(frozen=True, slots=True)
class VariantQuality:
    """A metric of the variants, by their numbers as texts."""

    title: str = ""
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProfileDocument(ProfileResult):
    """A profile with its options, and sizes and metrics of its variants.

    What ``studio profile --json`` prints is one as well, without these.

    Attributes:
        at: Time of its record.
        sizes: Bytes of the variants' files, by their numbers as texts.
    """

    at: str = ""
    options: Mapping[str, JsonValue] = field(default_factory=dict)
    model: str = ""
    sizes: Mapping[str, int] = field(default_factory=dict)
    quality: VariantQuality = field(default_factory=VariantQuality)


@dataclass(frozen=True, slots=True)
class ProfileLine:
    """A profile in a list.

    Attributes:
        run: Number of the profile.
        fastest, best: The best run and its figure in the unit.
        complete: False for a profile that was interrupted.
        fallback: Largest share of time on another device than the requested one; None if unknown.
    """

    run: int
    at: str
    mode: str
    target: str
    models: tuple[str, ...]
    backends: tuple[str, ...]
    fastest: str | None
    best: float | None
    unit: str
    complete: bool
    fallback: float | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A fact of the machine that is another in a later profile."""

    key: str
    before: JsonValue
    after: JsonValue


@dataclass(frozen=True, slots=True)
class RowComparison:
    """Comparison of a variant on a runtime in two profiles.

    Attributes:
        before, after: Figures in the unit of the profiles.
        ratio: Of times, also where rates were measured, so that below 1 is better.
        relative: Ratio of the ratio to that of the reference, which is free of what made the
            whole machine slower or faster; None where the references differ.
    """

    id: str
    before: float | None
    after: float | None
    ratio: float | None
    low: float | None
    high: float | None
    margin: float
    verdict: str
    relative: float | None = None


@dataclass(frozen=True, slots=True)
class ProfileComparison:
    """Two profiles row by row.

    They were made at different times, so nothing was interleaved: whatever the machine did besides
    is in the ratios.

    Attributes:
        comparable: Whether both are of the same machine in the same state.
    """

    before: ProfileLine
    after: ProfileLine
    comparable: bool
    differences: tuple[Difference, ...]
    rows: tuple[RowComparison, ...]
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]
    notes: tuple[str, ...]


def read_profile(document: Mapping[str, object]) -> ProfileDocument:
    """Read what ``studio profile --json`` or ``studio profiles show --json`` printed.

    Raises:
        UsageError: when it is no profile.
    """
    try:
        return from_json(ProfileDocument, document)
    except InvalidDocument as error:
        raise UsageError(f"This cannot be read as a profile: {error}") from None


def line(profile: ProfileDocument) -> ProfileLine:
    """Return the list entry of a profile."""
    rate = profile.mode in _RATES
    known = [(value, row) for row in profile.runs if (value := figure(row, profile.mode)[0])]
    pick = max if rate else min
    value, fastest = pick(known, key=lambda pair: pair[0], default=(None, None))
    return ProfileLine(
        run=profile.run or 0,
        at=profile.at,
        mode=profile.mode,
        target=profile.target,
        models=tuple(dict.fromkeys(row.model for row in profile.runs)),
        backends=tuple(dict.fromkeys(row.runtime or row.backend for row in profile.runs)),
        fastest=fastest.id if fastest else None,
        best=value,
        unit="a second" if rate else "ms a token" if profile.mode == "tokens" else "ms",
        complete=profile.complete,
        fallback=profile.placement.fallback if profile.placement else None,
    )


def figure(row: ProfileRun, mode: str) -> Figure:
    """Return the main figure of a row in its mode, with its interval if known.

    Median latency, of a language model that of a token; samples or requests a second; median of
    the last tenth of a sustained run.
    """
    if mode == "throughput":
        best = row.throughput.best if row.throughput else None
        return (best.per_second, best.low, best.high) if best else (None, None, None)
    if mode == "open-loop":
        found = row.open_loop
        return found.rate_per_second if found and found.kept else None, None, None
    if mode == "sustained":
        return row.sustained.end_ms if row.sustained else None, None, None
    return row.latency_ms.p50, None, None


def compare(before: ProfileDocument, after: ProfileDocument) -> ProfileComparison:
    """Compare two profiles row by row."""
    rows = {row.id: row for row in before.runs}
    others = {row.id: row for row in after.runs}
    differences = tuple(_differences(before.environment, after.environment))
    both = [key for key in rows if key in others]
    same_mode = before.mode == after.mode
    margin = max(_LEAST_MARGIN, _margin(before), _margin(after))
    found = [_row(rows[key], others[key], before.mode, margin) for key in both if same_mode]
    if before.reference == after.reference:
        found = _relative(found, before.reference)
    modes = f"One is of the mode {before.mode}, the other of {after.mode}."
    return ProfileComparison(
        before=line(before),
        after=line(after),
        comparable=not differences and before.target == after.target,
        differences=differences,
        rows=tuple(found),
        only_before=tuple(key for key in rows if key not in others),
        only_after=tuple(key for key in others if key not in rows),
        notes=(
            *(() if same_mode else (modes,)),
            *_inputs(before, after),
            *_notes(both, differences),
        ),
    )


def _relative(rows: Sequence[RowComparison], reference: str) -> list[RowComparison]:
    """Return the rows with their ratios to that of the reference."""
    base = next((row.ratio for row in rows if row.id == reference), None)
    return [
        replace(row, relative=row.ratio / base)
        if base and row.ratio and row.id != reference
        else row
        for row in rows
    ]


def document(registry: Registry, run: RunRecord) -> dict[str, JsonValue]:
    """Return one profile with what belongs to it, as JSON; see ``ProfileDocument``."""
    chosen = set(run.options.get("models") or ())
    model = next((v.model for v in registry.variants() if v.id == run.variant), None)
    variants = registry.variants(model) if model is not None else []
    values, title = quality(variants)
    return {
        **run.result,
        "run": run.id,
        "at": run.created,
        "options": dict(run.options),
        "model": variants[0].model_name if variants else "",
        "sizes": {str(v.id): v.size for v in variants if v.id in chosen},
        "quality": {
            "title": title,
            "values": {str(key): value for key, value in values.items() if key in chosen},
        },
    }


def quality(variants: Sequence[VariantRecord]) -> tuple[dict[int, float], str]:
    """Return the metric of each variant by its number, measured at its creation, and its name."""
    found: dict[int, float] = {}
    title = ""
    for variant in variants:
        metric = figures_of(variant.summary).metric
        if metric is None:
            continue
        title = metric.heading
        found[variant.id] = float(metric.after)
        if variant.parent is not None:
            found.setdefault(variant.parent, float(metric.before))
    return found, title


def _row(one: ProfileRun, two: ProfileRun, mode: str, margin: float) -> RowComparison:
    before, after = figure(one, mode), figure(two, mode)
    ratio, low, high = _ratio(one, two, mode)
    return RowComparison(
        one.id, before[0], after[0], ratio, low, high, margin, _verdict(low, high, margin)
    )


def _ratio(one: ProfileRun, two: ProfileRun, mode: str) -> Figure:
    """Return the ratio of two figures as times, with its interval if computable."""
    before, after = figure(one, mode), figure(two, mode)
    if not before[0] or not after[0]:
        return None, None, None
    # A rate is the reciprocal of a time.
    ratio = before[0] / after[0] if mode in _RATES else after[0] / before[0]
    times = [[t for t in row.round_ms if t > 0] for row in (one, two)]
    if mode in ("latency", "tokens") and min(map(len, times)) >= _LEAST_ROUNDS:
        return _interval(*times)
    if all(before) and all(after):
        half = math.hypot(_half(before), _half(after))
        return ratio, ratio * math.exp(-half), ratio * math.exp(half)
    return ratio, None, None


def _half(found: Figure) -> float:
    """Return half the width of an interval of a rate, as a logarithm."""
    _, low, high = found
    return math.log(high / low) / 2 if low and high else 0.0


def _interval(before: Sequence[float], after: Sequence[float]) -> tuple[float, float, float]:
    """Return the ratio of medians with its interval, from the means of blocks of rounds.

    Adjacent rounds share what disturbs them; their blocks (as many as the cube root of
    the square of their number) are nearly independent.
    """
    spread = 0.0
    for times in (before, after):
        logs = [math.log(each) for each in times]
        size = max(1, round(len(logs) ** (1 / 3)))
        blocks = [
            statistics.fmean(logs[start : start + size])
            for start in range(0, len(logs) - size + 1, size)
        ]
        spread += statistics.variance(blocks) / len(blocks) if len(blocks) > 1 else 0.0
    center = math.log(statistics.median(after) / statistics.median(before))
    half = Z * math.sqrt(spread)
    return math.exp(center), math.exp(center - half), math.exp(center + half)


def _verdict(low: float | None, high: float | None, margin: float) -> str:
    if low is None or high is None:
        return "undecided"
    if high < 1 / (1 + margin):
        return "faster"
    if low > 1 + margin:
        return "slower"
    if low >= 1 / (1 + margin) and high <= 1 + margin:
        return "equal"
    return "undecided"


def _margin(result: ProfileResult) -> float:
    return result.twin.margin if result.twin else 0.0


def _differences(a: Environment, b: Environment) -> Iterator[Difference]:
    one, two = to_json(a), to_json(b)
    for key in (*_MACHINE, *_SETTINGS):
        if one[key] != two[key]:
            yield Difference(key, one[key], two[key])


def _inputs(before: ProfileDocument, after: ProfileDocument) -> Iterator[str]:
    """Yield a sentence where the inputs were of other sizes, or of another source."""
    sizes = [{each.name: each.shape for each in one.feeds} for one in (before, after)]
    other = [name for name in sizes[0] if name in sizes[1] and sizes[0][name] != sizes[1][name]]
    if other:
        shapes = ["x".join(map(str, each[other[0]])) for each in sizes]
        yield f"The input {other[0]} was {shapes[0]} before and {shapes[1]} after."
    sources = [_source(each) for each in (before, after)]
    if all(sources) and sources[0] != sources[1]:
        yield f"The inputs were {sources[0]} before and {sources[1]} after."


def _source(profile: ProfileDocument) -> str:
    """Return where the inputs came from; empty for a profile without its options."""
    if not profile.options:
        return ""
    data = profile.options.get(_DATA)
    return f"a sample of {Path(str(data)).name}" if data else "random values"


def _notes(rows: Sequence[str], differences: Sequence[Difference]) -> Iterator[str]:
    keys = [each.key for each in differences]
    if not rows:
        yield "The two have no variant on the same runtime in common."
    elif any(key in _MACHINE for key in keys):
        yield "They were made on different machines: the ratios compare machines, not variants."
    elif differences:
        yield f"The machine was not in the same state ({', '.join(keys)})."
    if rows:
        yield (
            "They were measured at different times, so a ratio holds whatever else the machine did "
            "then; profile both together to be sure."
        )
