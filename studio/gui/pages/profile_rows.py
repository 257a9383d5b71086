"""What the Profile page shows of a run: table rows, chart, conclusion, and what it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from studio.gui import figures
from studio.gui.charts.distribution import Distribution, Spread
from studio.gui.charts.tradeoff import Point, Tradeoff
from studio.gui.pages.parts import part

COLUMNS = (
    "Variant",
    "Runtime",
    "Device",
    "Computes in",
    "p50 ms",
    "p90 ms",
    "Error",
    "vs baseline",
    "",
)
NUMERIC = (4, 5, 6, 7)
TONES = {
    "faster": "good",
    "slower": "bad",
    "undecided": "warning",
    "wrong output": "warning",
    "reduced precision": "warning",
    "cannot load": "bad",
    "cannot run": "bad",
    "crashed": "bad",
    "measuring": "accent",
}
WORKS = ("", "measured", "ready", "measuring", "waiting")

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One variant on one runtime.

    Attributes:
        key: Identifies it within the result.
        state: The word of the pill.
        reason: Why it has no figures, or what its figures hide.
    """

    key: str
    texts: tuple[str, ...]
    state: str
    reason: str = ""

    @property
    def tone(self) -> str:
        """The colour behind the word."""
        return TONES.get(self.state, "")


def key(run: Json) -> str:
    """What identifies a run within its result, and in the verdicts."""
    return str(part(run, "id", "candidate") or f"{run.get('model')} {run.get('backend')}")


def table(result: Json) -> list[Row]:
    """The rows of a finished run."""
    verdicts = {str(verdict.get("b")): verdict for verdict in result.get("verdicts") or ()}
    baseline = reference(result)
    return [
        _row(run, verdicts.get(key(run)), key(run) == baseline) for run in result.get("runs") or ()
    ]


def reference(result: Json) -> str:
    """The key of the run that the others are compared with."""
    for verdict in result.get("verdicts") or ():
        return str(verdict.get("a"))
    for run in result.get("runs") or ():
        if str(run.get("state", "")) in WORKS:
            return key(run)
    return ""


def _row(run: Json, verdict: Json | None, is_baseline: bool) -> Row:
    latency = run.get("latency_ms") or {}
    texts = (
        str(part(run, "variant", "model") or ""),
        str(part(run, "runtime", "backend") or ""),
        str(part(run, "device_name", "device", "target") or ""),
        str(run.get("precision") or figures.NOTHING),
        figures.milliseconds(latency.get("p50")),
        figures.milliseconds(latency.get("p90")),
        figures.NOTHING if is_baseline else figures.error(run.get("max_error")),
        "1.00" if is_baseline else _ratio(verdict),
    )
    return Row(key(run), texts, _state(run, verdict, is_baseline), str(run.get("reason") or ""))


def _state(run: Json, verdict: Json | None, is_baseline: bool) -> str:
    state = str(run.get("state") or "")
    if state not in WORKS:
        return state
    if is_baseline:
        return "baseline"
    return str(verdict.get("verdict")) if verdict else state or "measured"


def _ratio(verdict: Json | None) -> str:
    if verdict is None:
        return figures.NOTHING
    span = figures.interval(verdict.get("low"), verdict.get("high"))
    return f"{figures.ratio(verdict.get('ratio'))} {span}".strip()


def distribution(result: Json, selected: str) -> Distribution | None:
    """The latencies of the runs that have any; the selected one stands out."""
    spreads = []
    for run in result.get("runs") or ():
        samples = _samples(run)
        median = figures.number((run.get("latency_ms") or {}).get("p50"))
        if len(samples) > 1 and median is not None:
            token = "accent" if key(run) == selected else "dim"
            spreads.append(Spread(_name(run), samples, median, token))
    return Distribution(tuple(spreads)) if spreads else None


def _samples(run: Json) -> tuple[float, ...]:
    values = part(run, "samples_ms", "times_ms", "quantiles_ms")
    if not isinstance(values, Sequence) or isinstance(values, str):
        return ()
    return tuple(number for number in map(figures.number, values) if number is not None)


def _name(run: Json) -> str:
    return str(part(run, "variant", "model") or "")


def tradeoff(
    result: Json, quality: Mapping[str, float], title: str, selected: str
) -> Tradeoff | None:
    """Quality against latency; None unless two runs have both.

    Args:
        result: Of the profile step.
        quality: The metric of each variant by its name.
        title: The metric's name.
        selected: Key of the run that stands out.
    """
    points = []
    for run in result.get("runs") or ():
        median = figures.number((run.get("latency_ms") or {}).get("p50"))
        if median is not None and _name(run) in quality:
            chosen = key(run) == selected
            points.append(Point(_name(run), median, quality[_name(run)], chosen))
    return Tradeoff(tuple(points), "p50 latency, ms", title) if len(points) > 1 else None


def conclusion(result: Json, selected: str = "") -> tuple[str, str, str]:
    """State word, tone and sentence: of the selected run, otherwise of the best one."""
    verdicts = list(result.get("verdicts") or ())
    chosen = [verdict for verdict in verdicts if str(verdict.get("b")) == selected]
    verdict = (chosen or sorted(verdicts, key=_by_ratio) or [None])[0]
    if verdict is None:
        return "measured", "", "One candidate only: there is nothing to compare it with."
    word = str(verdict.get("verdict"))
    return word, TONES.get(word, ""), _sentence(result, verdict, word)


def _by_ratio(verdict: Json) -> float:
    ratio = figures.number(verdict.get("ratio"))
    return ratio if ratio is not None else float("inf")


def _sentence(result: Json, verdict: Json, word: str) -> str:
    names = {key(run): _name(run) for run in result.get("runs") or ()}
    a, b = (names.get(str(verdict.get(end)), str(verdict.get(end))) for end in ("a", "b"))
    margin = figures.number(verdict.get("margin"))
    limit = f" of {100 * margin:.0f} %" if margin is not None else ""
    ratio = figures.number(verdict.get("ratio"))
    if word in ("faster", "slower") and ratio is not None:
        share = f"{100 * abs(1 - ratio):.0f} %"
        return f"{b} is {word} than {a} by {share}, sure beyond the margin{limit}."
    if word == "equal":
        return f"{b} and {a} are equal within the margin{limit}."
    needed = figures.number(verdict.get("rounds_needed"))
    more = f"; about {needed:.0f} rounds would decide" if needed else ""
    return f"{b} against {a} is undecided{more}."


def certainty(result: Json) -> list[Sequence[str]]:
    """What the figures rest on, for a list of names and values."""
    environment: Json = result.get("environment") or {}
    found: list[Sequence[str]] = []
    _add(found, "Rounds kept / dropped", _rounds(result))
    _add(found, "A/A twin", _twin(result))
    _add(found, "Margin", _margin(result))
    _add(found, "Temperature", _temperature(result))
    _add(found, "Processor", str(environment.get("cpu") or ""))
    _add(found, "Cores", _cores(environment))
    _add(found, "Governor", str(environment.get("governor") or ""))
    _add(found, "Threads", _threads(result))
    return found


def _add(found: list[Sequence[str]], name: str, value: str) -> None:
    if value:
        found.append((name, value))


def _rounds(result: Json) -> str:
    rounds = result.get("rounds")
    facts: Json = rounds if isinstance(rounds, Mapping) else result
    kept = figures.number(part(facts, "kept", "rounds_kept"))
    reasons = part(facts, "dropped", "spoiled", "rounds_dropped") or {}
    if kept is None:
        return ""
    if isinstance(reasons, Mapping):
        number = sum(int(n) for n in reasons.values())
        why = ", ".join(str(reason) for reason in reasons)
    else:
        number, why = int(reasons), ""
    return f"{kept:.0f} / {number}" + (f" ({why})" if why else "")


def _twin(result: Json) -> str:
    twin = result.get("twin")
    if not isinstance(twin, Mapping) or figures.number(twin.get("ratio")) is None:
        return ""
    low, high = (figures.number(twin.get(end)) for end in ("low", "high"))
    span = "" if low is None or high is None else f" [{low:.3f}–{high:.3f}]"
    return f"{twin['ratio']:.3f}{span}, the baseline against itself"


def _margin(result: Json) -> str:
    margins = [
        number
        for verdict in result.get("verdicts") or ()
        if (number := figures.number(verdict.get("margin"))) is not None
    ]
    return f"{100 * max(margins):.1f} %".replace(".0 %", " %") if margins else ""


def _temperature(result: Json) -> str:
    value = part(result, "temperature_c") or part(result.get("environment") or {}, "temperature_c")
    ends = value if isinstance(value, Sequence) else [value]
    known = [number for number in map(figures.number, ends) if number is not None]
    if not known:
        return "not told by this machine"
    return " → ".join(f"{number:.0f}" for number in dict.fromkeys((known[0], known[-1]))) + " °C"


def _cores(environment: Json) -> str:
    cores, usable = environment.get("cores"), environment.get("usable_cores")
    if not cores:
        return ""
    return f"{usable} of {cores} usable" if usable and usable != cores else str(cores)


def _threads(result: Json) -> str:
    threads = {run.get("threads") for run in result.get("runs") or () if run.get("threads")}
    return ", ".join(str(number) for number in sorted(threads))


def summary(rows: Iterable[Row]) -> str:
    """What the header says: ``3 variants × 1 runtime × 1 device``."""
    rows = list(rows)
    columns = [{row.texts[index] for row in rows} for index in range(3)]
    names = ("variant", "runtime", "device")
    parts = (figures.count(len(c), name) for c, name in zip(columns, names, strict=True))
    return " × ".join(parts)
