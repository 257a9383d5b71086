"""What the Profile page shows of a run: table rows, chart, conclusion, and what it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from studio.gui import figures
from studio.gui.charts.distribution import Distribution, Spread
from studio.gui.charts.tradeoff import Point, Tradeoff
from studio.gui.pages.profile import modes

COLUMNS = (
    "Variant",
    "Runtime",
    "Device",
    "Compute precision",
    *modes.HEADINGS[modes.LATENCY],
    "Error",
    "vs baseline",
    "",
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

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Names:
    """What people call the parts of a run.

    Attributes:
        backends: Titles by identifier.
        target: The machine that was measured on.
    """

    backends: Mapping[str, str]
    target: str

    def runtime(self, run: Json) -> str:
        """Name and version of a run's runtime, with the options that were asked for by name."""
        backend = str(run.get("backend") or "")
        title = f"{self.backends.get(backend, backend)} {run.get('version') or ''}".strip()
        options = str(run.get("runtime") or "").partition(":")[2]
        return f"{title} · {options}" if options else title

    def device(self, run: Json) -> str:
        """Machine and device: ``this computer``, ``jetson-07 · CUDA``."""
        device = str(run.get("device") or "").upper()
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


def key(run: Json) -> str:
    """What identifies a run within its result, and in the verdicts."""
    return str(run.get("id") or run.get("model") or "")


def variant_name(run: Json) -> str:
    """The variant's name without its model's."""
    return str(run.get("variant") or run.get("id") or "")


def table(result: Json, names: Names) -> list[ProfileRow]:
    """The rows of a run."""
    verdicts = {str(verdict.get("b")): verdict for verdict in result.get("verdicts") or ()}
    mode = modes.mode_of(result)
    return [
        _row(run, verdicts.get(key(run)), key(run) == result.get("reference"), names, mode)
        for run in placed(result)
    ]


def placed(result: Json) -> list[dict[str, Any]]:
    """The runs, each with its ``place``: where it ran, and how much of it elsewhere."""
    places = {each["id"]: each for each in (result.get("placement") or {}).get("runs") or ()}
    return [{**run, "place": places.get(key(run), {})} for run in result.get("runs") or ()]


def headings(result: Json) -> tuple[str, ...]:
    """The headings of the table for a result's mode."""
    return (*COLUMNS[:4], *modes.HEADINGS[modes.mode_of(result)], *COLUMNS[6:])


def live(result: Json, message: Json) -> dict[str, Any]:
    """A running job's result so far, with what a message adds to one of its runs."""
    runs = {key(run): dict(run) for run in result.get("runs") or ()}
    name = key(message)
    runs[name] = runs.get(name, {}) | dict(message)
    return {**result, "runs": list(runs.values())}


def _computes(run: Json) -> str:
    """The precision with the threads of an inference: ``fp32 · 1 thread``."""
    threads = figures.number(run.get("threads"))
    count = "" if threads is None else figures.count(int(threads), "thread")
    return " · ".join(filter(None, (str(run.get("precision") or ""), count))) or figures.NOTHING


def _row(run: Json, verdict: Json | None, is_baseline: bool, names: Names, mode: str) -> ProfileRow:
    texts = (
        variant_name(run),
        names.runtime(run),
        names.device(run),
        _computes(run),
        *modes.columns(mode, run),
        figures.NOTHING if is_baseline else figures.error(run.get("relative_error")),
        "1.00" if is_baseline else _ratio(verdict),
    )
    missing: Json = run.get("missing") or {}
    note = "; ".join(f"{name} {why}" for name, why in missing.items())
    state = _state(run, verdict, is_baseline)
    reason = str(run.get("reason") or "")
    if figures.number(run.get("place", {}).get("fallback")) and not reason:
        state, reason = FELL_BACK, str(run["place"]["text"]).partition(": ")[2]
    return ProfileRow(key(run), texts, state, reason, note)


def _state(run: Json, verdict: Json | None, is_baseline: bool) -> str:
    state = str(run.get("state") or "")
    if state not in WORKS:
        return state
    if is_baseline:
        return "baseline"
    return _verdict(verdict) if verdict else state or "measured"


def _verdict(verdict: Json) -> str:
    """The word that is shown for a stored verdict."""
    word = str(verdict.get("verdict"))
    return "inconclusive" if word == "undecided" else word


def _ratio(verdict: Json | None) -> str:
    if verdict is None:
        return figures.NOTHING
    return figures.ratio_with_interval(*(verdict.get(key) for key in ("ratio", "low", "high")))


def distribution(result: Json, selected: str) -> Distribution | None:
    """The latencies of the runs that have any; the selected one stands out."""
    spreads = []
    for run in result.get("runs") or ():
        # Percentiles at equal steps stand for the samples: each carries the same weight.
        samples = tuple(float(value) for value in run.get("distribution") or ())
        middle = figures.number((run.get("latency_ms") or {}).get("p50"))
        if len(samples) > 1 and middle is not None:
            token = "accent" if key(run) == selected else "dim"
            spreads.append(Spread(variant_name(run), samples, middle, token))
    return Distribution(tuple(spreads)) if spreads else None


def chart_names(result: Json) -> dict[str, str]:
    """What each run is called in a chart: its variant, with the runtime where there are several."""
    runs = result.get("runs") or ()
    several = len({run.get("runtime") or run.get("backend") for run in runs}) > 1
    return {
        key(run): f"{variant_name(run)} · {run.get('runtime') or run.get('backend')}"
        if several
        else variant_name(run)
        for run in runs
    }


def tradeoff(
    result: Json,
    quality: Mapping[str, float],
    title: str,
    selected: str,
    sizes: Mapping[str, int] | None = None,
) -> Tradeoff | None:
    """Quality against latency; None unless two runs have both.

    Args:
        result: Of the profile step.
        quality: The metric of each variant by its name.
        title: The metric's name.
        selected: Key of the run that stands out.
        sizes: Of each variant's file by its name; shown by the size of a point.
    """
    points = []
    largest = max((sizes or {}).values(), default=0) or 1
    for number, run in enumerate(result.get("runs") or ()):
        middle = figures.number((run.get("latency_ms") or {}).get("p50"))
        name = variant_name(run)
        if middle is not None and name in quality:
            weight = (sizes or {}).get(name, 0) / largest
            points.append(Point(name, middle, quality[name], key(run) == selected, number, weight))
    return Tradeoff(tuple(points), "p50 latency, ms", title) if len(points) > 1 else None


def conclusion(result: Json, selected: str = "") -> tuple[str, str, str]:
    """State word, tone and sentence: of the selected run, otherwise of the best one."""
    verdicts = list(result.get("verdicts") or ())
    chosen = [verdict for verdict in verdicts if str(verdict.get("b")) == selected]
    verdict = (chosen or sorted(verdicts, key=_by_ratio) or [None])[0]
    if verdict is None:
        runs = result.get("runs") or ()
        run: Json = next((run for run in runs if key(run) == selected), {})
        alone = "Select at least two variants to compare."
        told = modes.sentence(result, run)
        return "measured", "", told or (alone if len(runs) == 1 else "No comparison available.")
    word = _verdict(verdict)
    return word, TONES.get(word, ""), _sentence(result, verdict, word)


def _by_ratio(verdict: Json) -> float:
    ratio = figures.number(verdict.get("ratio"))
    return ratio if ratio is not None else float("inf")


def _sentence(result: Json, verdict: Json, word: str) -> str:
    names = {key(run): variant_name(run) for run in result.get("runs") or ()}
    a, b = (names.get(str(verdict.get(end)), str(verdict.get(end))) for end in ("a", "b"))
    margin = figures.number(verdict.get("margin"))
    limit = f" of {100 * margin:.0f} %" if margin is not None else ""
    ratio = figures.number(verdict.get("ratio"))
    if word in ("faster", "slower") and ratio is not None:
        share = f"{100 * abs(1 - ratio):.0f} %"
        return f"{b} is {word} than {a} by {share} (beyond the margin{limit})."
    if word == "equal":
        return f"{b} and {a} are equal within the margin{limit}."
    needed = figures.number(verdict.get("rounds_needed"))
    more = f"; about {needed:.0f} rounds needed" if needed else ""
    return f"{b} vs {a}: inconclusive{more}."


def certainty(result: Json, selected: str = "") -> list[Sequence[str]]:
    """What the figures rest on, for a list of names and values; a third member is a tone."""
    environment: Json = result.get("environment") or {}
    heat = figures.number(environment.get("temperature_c"))
    clock = figures.number(environment.get("clock_mhz"))
    pairs: tuple[Sequence[str], ...] = (
        *_place(result, selected),
        ("Rounds kept / dropped", _rounds(result)),
        ("A/A control", _twin(result)),
        ("Margin", _margin(result)),
        ("Temperature", "not available" if heat is None else f"up to {heat:.0f} °C"),
        ("Processor", _processor(environment)),
        ("Clock", "" if clock is None else f"{clock:.0f} MHz, governor {_governor(environment)}"),
        ("Threads", _threads(result)),
        ("Energy", _energy(result, selected)),
        *_board(environment),
        ("Stopped early", str(result.get("interruption") or "")),
    )
    return [pair for pair in pairs if pair[1]]


def _place(result: Json, selected: str) -> list[Sequence[str]]:
    """Where the selected run was executed; in red where that is not where it was asked to be."""
    run = next((run for run in placed(result) if key(run) == selected), None)
    place = run["place"] if run is not None else {}
    if not place:
        return []
    fallback = figures.number(place.get("fallback"))
    if fallback:
        return [("Ran on", str(place["text"]).partition(": ")[2], "bad")]
    if fallback is None:
        return [("Ran on", "unknown", "warning")]
    return [("Ran on", f"{place['asked']}, all nodes")] if place["asked"] != "cpu" else []


def _energy(result: Json, selected: str) -> str:
    """The selected run's energy with interval, rail and rates; why there is none where asked."""
    about: Json = result.get("energy") or {}
    if not about:
        return ""
    if about.get("state") != "measured":
        return f"no sensor: {about.get('reason')}"
    runs: list[Json] = [run for run in result.get("runs") or () if key(run) == selected]
    found = runs[0].get("energy") if runs else None
    if not found:
        return figures.NOTHING
    return (
        f"{found['mj']:.3g} mJ per inference above idle [{found['low']:.3g}–{found['high']:.3g}], "
        f"{about['source']} {about['rail']}, {about['updates_hz']:g} samples/s"
        + (f"; {found['reason']}" if found["reason"] else "")
    )


def _board(environment: Json) -> list[Sequence[str]]:
    """What boards tell besides: power mode, throttling, supply, accelerators."""
    mode: Json = environment.get("power_mode") or {}
    end: Json = environment.get("end") or {}
    flags: Json = end.get("throttle") or environment.get("throttle") or {}
    now, since = (", ".join(flags.get(name) or ()) for name in ("now", "since_start"))
    supply = str(environment.get("supply") or "")
    accelerators = ", ".join(each["name"] for each in environment.get("accelerators") or ())
    quota = figures.number(environment.get("cpu_quota"))
    return [
        ("Power mode", str(mode.get("name") or mode.get("id") or "")),
        ("Throttling now", now, "bad"),
        ("Throttled since start", since, "warning"),
        ("Power supply", supply, "warning" if supply == "battery" else ""),
        ("Accelerators", accelerators),
        ("Processor quota", "" if quota is None else f"{quota:g} cores", "warning"),
    ]


def _rounds(result: Json) -> str:
    rounds, spoiled = (figures.number(result.get(name)) for name in ("rounds", "spoiled"))
    if rounds is None:
        return ""
    reasons = ", ".join(result.get("spoiled_reasons") or ())
    if not spoiled:
        return f"{rounds:.0f} / 0"
    if result.get("spoiled_kept"):
        return f"{rounds:.0f} / 0; {spoiled:.0f} disturbed ({reasons}), too many to drop"
    return f"{rounds - spoiled:.0f} / {spoiled:.0f} ({reasons})"


def _twin(result: Json) -> str:
    twin: Json = result.get("twin") or {}
    ratio, low, high = (figures.number(twin.get(name)) for name in ("ratio", "low", "high"))
    if ratio is None or low is None or high is None:
        return ""
    return f"{ratio:.3f} [{low:.3f}–{high:.3f}]"


def _margin(result: Json) -> str:
    margins = [
        number
        for verdict in result.get("verdicts") or ()
        if (number := figures.number(verdict.get("margin"))) is not None
    ]
    return f"{100 * max(margins):.1f} %".replace(".0 %", " %") if margins else ""


def _processor(environment: Json) -> str:
    cores, usable = environment.get("cores"), environment.get("usable_cores")
    count = figures.count(int(cores), "core") if cores else ""
    if usable and usable != cores:
        count = f"{usable} of {count}"
    return ", ".join(text for text in (str(environment.get("cpu") or ""), count) if text)


def _governor(environment: Json) -> str:
    return str(environment.get("governor") or "not available")


def _threads(result: Json) -> str:
    threads = {run.get("threads") for run in result.get("runs") or () if run.get("threads")}
    return ", ".join(str(number) for number in sorted(threads))


def summary(rows: Iterable[ProfileRow]) -> str:
    """What the header says: ``3 variants × 1 runtime × 1 device``."""
    rows = list(rows)
    columns = [{row.texts[index] for row in rows} for index in range(3)]
    names = ("variant", "runtime", "device")
    parts = (figures.count(len(c), name) for c, name in zip(columns, names, strict=True))
    return " × ".join(parts)
