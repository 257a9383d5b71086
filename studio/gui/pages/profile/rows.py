"""What the Profile page shows of a run: table rows, chart, conclusion, and what it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

from studio.gui import figures
from studio.gui.charts.distribution import Distribution, Spread
from studio.gui.charts.tradeoff import Point, Tradeoff
from studio.gui.pages.profile import modes
from studio.lazy_dataclass import dataclass
from studio.profiling.results import (
    Comparison,
    MeasuredEnvironment,
    NoEnergySensor,
    ProfileResult,
    ProfileRun,
    RunMessage,
    RunPlacement,
)

COLUMNS = (
    "Variant",
    "Runtime",
    "Device",
    "Precision",
    *modes.HEADINGS[modes.LATENCY],
    "Error",
    "vs baseline",
    "Verdict",
)
NUMERIC = (4, 5, 6, 7)
FELL_BACK = "fallback"
"""The state of a run of which a part ran on another device than it was asked to."""

TONES = {
    "faster": "good",
    "slower": "bad",
    "inconclusive": "warning",
    "wrong output": "warning",
    "reduced precision": "warning",
    "cannot load": "bad",
    "cannot run": "bad",
    "crashed": "bad",
    "timed out": "bad",
    FELL_BACK: "bad",
    "measuring": "accent",
}
WORKS = ("", "measured", "ready", "measuring", "waiting")


@dataclass(frozen=True, slots=True)
class Names:
    """The display names of the parts of a run.

    Attributes:
        backends: Titles by identifier.
        target: The machine that was measured on.
    """

    backends: Mapping[str, str]
    target: str

    def runtime(self, run: ProfileRun) -> str:
        """Return name and version of a run's runtime, with the options that the user set."""
        title = f"{self.backends.get(run.backend, run.backend)} {run.version or ''}".strip()
        options = run.runtime.partition(":")[2]
        return f"{title} · {options}" if options else title

    def device(self, run: ProfileRun) -> str:
        """Machine and device: ``this computer``, ``jetson-07 · CUDA``."""
        device = (run.device or "").upper()
        return self.target if device in ("", "CPU") else f"{self.target} · {device}"


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """One variant on one runtime.

    Attributes:
        key: Identifies it within the result.
        state: The word of the pill.
        reason: Why it has no figures.
        note: Why a percentile is missing.
    """

    key: str
    texts: tuple[str, ...]
    state: str
    reason: str = ""
    note: str = ""

    @property
    def tone(self) -> str:
        """The colour behind the word."""
        return TONES.get(self.state, "")


def variant_name(run: ProfileRun) -> str:
    """Return the variant's name without its model's."""
    return run.variant or run.id


def table(result: ProfileResult, names: Names) -> list[ProfileRow]:
    """Return the rows of a result."""
    return [_row(result, run, names) for run in result.runs]


def run_of(result: ProfileResult, key: str) -> ProfileRun | None:
    """Return the run of a key, or None."""
    return next((run for run in result.runs if run.id == key), None)


def _verdict_of(result: ProfileResult, key: str) -> Comparison | None:
    """Return the comparison of a run with the baseline; of several the last one."""
    return next((each for each in reversed(result.main_verdicts) if each.b == key), None)


def _place_of(result: ProfileResult, key: str) -> RunPlacement | None:
    """Return where a run was executed, and how much of it elsewhere."""
    places = result.placement.runs if result.placement else ()
    return next((place for place in places if place.id == key), None)


def headings(result: ProfileResult) -> tuple[str, ...]:
    """Return the headings of the table for a result's mode, with the margin of the verdicts."""
    margins = {one.margin for one in result.main_verdicts}
    margin = f" (±{100 * margins.pop():.3g} %)" if len(margins) == 1 else ""
    head = (*COLUMNS[:4], *modes.HEADINGS[modes.mode_of(result)], *COLUMNS[6:])
    return (*head[:-1], head[-1] + margin)


def live(result: ProfileResult, message: RunMessage) -> ProfileResult:
    """Return a running job's result so far, with the news of one of its runs."""
    values = {one.name: getattr(message, one.name) for one in fields(message)}
    known = {name: value for name, value in values.items() if value is not None}
    runs = {run.id: run for run in result.runs}
    runs[message.id] = replace(runs.get(message.id, ProfileRun(message.id)), **known)
    return replace(result, runs=tuple(runs.values()))


def _computes(run: ProfileRun, result: ProfileResult) -> str:
    """Return the precision, with the threads where not all runs have as many."""
    is_same = len({each.threads for each in result.runs}) == 1
    count = "" if is_same or run.threads is None else figures.count(run.threads, "thread")
    return " · ".join(filter(None, (run.precision, count))) or figures.NOTHING


def _row(result: ProfileResult, run: ProfileRun, names: Names) -> ProfileRow:
    is_baseline, verdict = run.id == result.reference, _verdict_of(result, run.id)
    texts = (
        variant_name(run),
        names.runtime(run),
        names.device(run),
        _computes(run, result),
        *modes.columns(modes.mode_of(result), run),
        figures.NOTHING if is_baseline else figures.error(run.relative_error),
        "1.00" if is_baseline else _ratio(verdict),
    )
    note = "; ".join(f"{name} {why}" for name, why in run.missing.items())
    state, reason = _state(run, verdict, is_baseline), run.reason
    place = _place_of(result, run.id)
    if place and place.fallback and not reason:
        state, reason = FELL_BACK, place.text.partition(": ")[2]
    return ProfileRow(run.id, texts, state, reason, note)


def _state(run: ProfileRun, verdict: Comparison | None, is_baseline: bool) -> str:
    if run.state not in WORKS:
        return run.state
    if is_baseline:
        return "baseline"
    return word(verdict) if verdict else run.state or "measured"


def word(verdict: Comparison) -> str:
    """Return the word that is shown for a stored verdict."""
    return "inconclusive" if verdict.verdict == "undecided" else verdict.verdict


def is_different(verdict: Comparison) -> bool:
    """Return whether an interval excludes 1, while the difference may not exceed the margin."""
    low, high = verdict.low, verdict.high
    return low is not None and high is not None and not low <= 1 <= high


def _ratio(verdict: Comparison | None) -> str:
    if verdict is None:
        return figures.NOTHING
    return figures.ratio_with_interval(verdict.ratio, verdict.low, verdict.high)


def distribution(result: ProfileResult, selected: str) -> Distribution | None:
    """Return the latencies of the runs that have any; the selected one stands out."""
    spreads = []
    for run in result.runs:
        # Percentiles at equal steps stand for the samples: each carries the same weight.
        if len(run.distribution) > 1 and run.latency_ms.p50 is not None:
            token = "accent" if run.id == selected else "dim"
            name = variant_name(run)
            spreads.append(Spread(name, run.distribution, run.latency_ms.p50, token))
    return Distribution(tuple(spreads)) if spreads else None


def chart_names(result: ProfileResult) -> dict[str, str]:
    """Return the name of each run in a chart: its variant, with the runtime if there are more."""
    several = len({run.runtime or run.backend for run in result.runs}) > 1
    return {
        run.id: f"{variant_name(run)} · {run.runtime or run.backend}"
        if several
        else variant_name(run)
        for run in result.runs
    }


def tradeoff(
    result: ProfileResult,
    quality: Mapping[str, float],
    title: str,
    selected: str,
    sizes: Mapping[str, int] | None = None,
) -> Tradeoff | None:
    """Return quality against latency; None unless two runs have both.

    Args:
        quality: The metric of each variant by its name.
        title: The metric's name.
        selected: Key of the run that stands out.
        sizes: Of each variant's file by its name; shown by the size of a point.
    """
    points = []
    largest = max((sizes or {}).values(), default=0) or 1
    for number, run in enumerate(result.runs):
        middle, name = run.latency_ms.p50, variant_name(run)
        if middle is not None and name in quality:
            weight = (sizes or {}).get(name, 0) / largest
            points.append(Point(name, middle, quality[name], run.id == selected, number, weight))
    return Tradeoff(tuple(points), "p50 latency, ms", title) if len(points) > 1 else None


def certainty(result: ProfileResult, selected: str = "") -> list[Sequence[str]]:
    """Return what the figures rest on, as names and values; a third member is a tone."""
    environment = result.environment
    heat, clock = environment.temperature_c, environment.clock_mhz
    governor = environment.governor or "not available"
    pairs: tuple[Sequence[str], ...] = (
        *_place(result, selected),
        ("Error vs baseline", _error(result, selected)),
        ("Rounds kept / dropped", _rounds(result)),
        ("A/A control", twin(result)),
        ("Margin", _margin(result)),
        ("Temperature", "not available" if heat is None else f"up to {heat:.0f} °C"),
        ("Processor", processor(environment)),
        ("Clock", "" if clock is None else f"{clock:.0f} MHz, governor {governor}"),
        ("Threads", _threads(result)),
        ("Energy", _energy(result, selected)),
        *_board(environment),
        ("Stopped early", result.interruption),
    )
    return [pair for pair in pairs if pair[1]]


def _place(result: ProfileResult, selected: str) -> list[Sequence[str]]:
    """Return where the selected run was executed; in red where another device was requested."""
    place = _place_of(result, selected)
    if place is None:
        return []
    if place.fallback:
        return [("Ran on", place.text.partition(": ")[2], "bad")]
    if place.fallback is None:
        return [("Ran on", "unknown", "warning")]
    return [("Ran on", f"{place.asked}, all nodes")] if place.asked != "cpu" else []


def _error(result: ProfileResult, selected: str) -> str:
    """Return the selected run's largest difference from the baseline's outputs."""
    run = run_of(result, selected)
    if run is None or run.relative_error is None or run.id == result.reference:
        return ""
    return f"{figures.error(run.relative_error)} of the largest output"


def _energy(result: ProfileResult, selected: str) -> str:
    """Return the selected run's energy with interval, rail and rates, or why it is missing."""
    about, run = result.energy, run_of(result, selected)
    if about is None:
        return ""
    if isinstance(about, NoEnergySensor):
        return f"no sensor: {about.reason}"
    found = run.energy if run else None
    if not found:
        return figures.NOTHING
    return (
        f"{found.mj:.3g} mJ per inference above idle [{found.low:.3g}–{found.high:.3g}], "
        f"{about.source} {about.rail}, {about.updates_hz:g} samples/s"
        + (f"; {found.reason}" if found.reason else "")
    )


def _board(environment: MeasuredEnvironment) -> list[Sequence[str]]:
    """Return the board's other facts: power mode, throttling, supply, accelerators."""
    mode, end, supply = environment.power_mode, environment.end, environment.supply
    flags = (end.throttle if end else None) or environment.throttle
    quota = environment.cpu_quota
    return [
        ("Power mode", str(mode.name or mode.id or "") if mode else ""),
        ("Throttling now", ", ".join(flags.now) if flags else "", "bad"),
        ("Throttled since start", ", ".join(flags.since_start) if flags else "", "warning"),
        ("Power supply", supply or "", "warning" if supply == "battery" else ""),
        ("Accelerators", ", ".join(each.name for each in environment.accelerators)),
        ("Processor quota", "" if quota is None else f"{quota:g} cores", "warning"),
    ]


def _rounds(result: ProfileResult) -> str:
    rounds, spoiled = result.rounds, result.spoiled
    reasons = ", ".join(result.spoiled_reasons)
    if not spoiled:
        return f"{rounds} / 0"
    if result.spoiled_kept:
        return f"{rounds} / 0; {spoiled} disturbed ({reasons}), too many to drop"
    return f"{rounds - spoiled} / {spoiled} ({reasons})"


def twin(result: ProfileResult) -> str:
    """Return the time ratio of the A/A control with its interval; empty without one."""
    found = result.twin
    return f"{found.ratio:.3f} [{found.low:.3f}–{found.high:.3f}]" if found else ""


def _margin(result: ProfileResult) -> str:
    margin = max((verdict.margin for verdict in result.verdicts), default=None)
    return "" if margin is None else f"{100 * margin:.1f} %".replace(".0 %", " %")


def processor(environment: MeasuredEnvironment) -> str:
    """Return the processor and its usable cores."""
    cores, usable = environment.cores, environment.usable_cores
    count = figures.count(cores, "core") if cores else ""
    if usable and usable != cores:
        count = f"{usable} of {count}"
    return ", ".join(text for text in (environment.cpu, count) if text)


def _threads(result: ProfileResult) -> str:
    return ", ".join(map(str, sorted({run.threads for run in result.runs if run.threads})))


def thread_text(result: ProfileResult) -> str:
    """Return the threads of an inference: ``1 thread``, ``1, 4 threads``; empty where unknown."""
    numbers = _threads(result)
    return f"{numbers} {'thread' if numbers == '1' else 'threads'}" if numbers else ""
