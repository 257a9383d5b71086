"""What the modes found, from recordings that are made up."""

from __future__ import annotations

import random
from typing import Any

import pytest

from studio.profiling import build as results
from studio.profiling import modes
from studio.profiling.plan import Candidate
from studio.profiling.recording import Recording, read_event
from studio.profiling.results import ProfileResult, Ranking, Setting
from studio.profiling.texts import profile as describe
from studio.registry import ModelRef
from studio.runtime.bench.config import Config


def candidate(name: str) -> Candidate:
    model = ModelRef("/m.onnx", "d", 1, 1, "net", name, "onnx", "fp32")
    return Candidate(f"net:{name}", model, "onnxruntime", None, {})  # type: ignore[arg-type]


CHOSEN = [candidate("a"), candidate("b")]


def recorded(mode: str, *events: dict[str, Any], **result: Any) -> ProfileResult:
    """The result of a profile whose bench said these events."""
    recording = Recording(Config((), mode=mode))
    recording.add(read_event({"event": "started", "environment": {"cpu": "x"}}))
    for each in CHOSEN:
        recording.add(
            read_event({"event": "candidate", "id": each.label, "state": "ready", "reason": ""})
        )
    for event in events:
        recording.add(read_event(event))
    facts = [{"id": each.label, "state": "measured", "reason": ""} for each in CHOSEN]
    for row, more in zip(facts, result.pop("facts", [{}, {}]), strict=True):
        row.update(more)
    end = {"event": "result", "reference": "net:a", "candidates": facts, "feeds": []}
    recording.add(read_event(end | result))
    return results.build(recording, CHOSEN)


def rounds(rates: dict[str, float], count: int = 20) -> list[dict[str, Any]]:
    """Rounds in which each setting has about this rate."""
    chance = random.Random(1)
    made = []
    for number in range(1, count + 1):
        times = {cell: [1e9 / rate * chance.uniform(0.99, 1.01)] for cell, rate in rates.items()}
        blocks = {
            cell: {"samples": 100, "cores": 1.5, "latency_ns": [int(t[0])] * 100}
            for cell, t in times.items()
        }
        event = {"event": "round", "round": number, "of": count, "times_ns": times}
        made.append(event | {"cpu_ns": dict.fromkeys(times, 1), "blocks": blocks, "spoiled": []})
    return made


def test_throughput_compares_the_best_settings():
    rates = {"net:a|1|1": 100, "net:a|2|1": 180, "net:b|1|1": 150, "net:b|2|1": 140}
    result = recorded("throughput", *rounds(rates), settings=[])
    first, second = (row.throughput for row in result.runs)
    assert (first.best.streams, second.best.streams) == (2, 1)
    assert first.best.per_second == pytest.approx(180, rel=0.02)
    assert first.best.low < first.best.per_second < first.best.high
    assert [row.streams for row in first.settings] == [1, 2]
    [verdict] = result.verdicts
    assert verdict.ratio == pytest.approx(180 / 150, rel=0.02)
    assert verdict.verdict == "slower"
    assert verdict.a_setting == Setting(2, 1)
    assert verdict.b_setting == Setting(1, 1)
    assert any("180" in line or "179" in line for line in describe(result))


def test_the_twin_sets_the_margin_of_throughput_too():
    rates = {"net:a|1|1": 100, "net:a|2|1": 180, "net:a#twin|1|1": 91, "net:b|1|1": 150}
    recording_rounds = rounds(rates)
    recording = Recording(Config((), mode="throughput"))
    for name in ("net:a", "net:b", "net:a#twin"):
        recording.add(
            read_event({"event": "candidate", "id": name, "state": "ready", "reason": ""})
        )
    for event in recording_rounds:
        recording.add(read_event(event))
    _, noise = modes.throughput_verdicts(recording, ["net:a", "net:b"])
    assert noise is not None
    assert noise.ratio == pytest.approx(100 / 91, rel=0.02)


def test_a_setting_that_failed_is_a_row_with_its_reason():
    failed = {"id": "net:a", "cell": "net:a|1|8", "streams": 1, "batch": 8}
    failed |= {"state": "cannot run", "reason": "The model fixes the size of its batch."}
    result = recorded("throughput", *rounds({"net:a|1|1": 100}), settings=[failed])
    row = result.runs[0].throughput.settings[1]
    assert (row.per_second, row.reason) == (None, failed["reason"])
    assert result.runs[1].throughput.best is None
    assert any(failed["reason"] in line for line in describe(result))


def loop(rate: float, fails: float | None, kept: bool | None = True) -> dict[str, Any]:
    found = {"limit_ms": 10.0, "percentile": 99, "rate_per_second": rate if kept else None}
    found |= {"fails_at": fails, "kept": kept, "confidence": 0.95, "over_share": 0.001}
    found |= {"over_high": 0.008, "trials": [], "reason": "At 5 a second nothing is known."}
    return {"open_loop": found}


@pytest.mark.parametrize(
    ("second", "verdict"),
    [
        (loop(100, 110), "undecided"),
        (loop(150, 160), "faster"),
        (loop(50, 60), "slower"),
        (loop(150, None), "faster"),
    ],
)
def test_rates_are_told_apart_by_their_brackets(second, verdict):
    result = recorded("open-loop", facts=[loop(100, 120), second])
    [row] = result.verdicts
    assert row.verdict == verdict
    assert row.ratio == pytest.approx(100 / second["open_loop"]["rate_per_second"])
    assert "net:a keeps a p99 of 10 ms at 100 requests a second" in " ".join(result.notes)


def test_rates_that_nothing_is_known_of_are_not_compared():
    result = recorded("open-loop", facts=[loop(100, 120), loop(1, None, kept=None)])
    assert result.verdicts == ()
    assert "net:b: At 5 a second nothing is known." in result.notes


def points(label: str, start: float, end: float, count: int = 100) -> list[dict[str, Any]]:
    """A series that goes from one median to another."""
    chance = random.Random(2)
    made = []
    for number in range(count):
        middle = (start + (end - start) * number / (count - 1)) * chance.uniform(0.99, 1.01)
        point = {"event": "point", "id": label, "t_s": float(number + 1), "inferences": 50}
        point |= {"p50_ms": middle, "p90_ms": middle, "max_ms": middle, "cpu_ms": middle}
        point |= {"clock_mhz": 1500.0 if number < 60 else 1200.0, "temperature_c": 50.0}
        made.append(point | {"stolen": 0.0, "spoiled": []})
    return made


def test_a_ranking_that_changes_is_said():
    events = [*points("net:a", 5.0, 8.0), *points("net:b", 6.0, 6.0)]
    result = recorded("sustained", *events)
    slow, steady = (row.sustained for row in result.runs)
    assert slow.drift.verdict == "slower"
    assert slow.drift.low < 7.86 / 5.14 < slow.drift.high
    assert steady.drift.verdict == "steady"
    assert slow.throttled_share == pytest.approx(0.4)
    assert slow.clock_drop == pytest.approx(0.2)
    assert result.ranking == Ranking(("net:a", "net:b"), ("net:b", "net:a"), changed=True)
    assert "The ranking changed: at the start it was net:a, net:b; in the end net:b, net:a." in (
        result.notes
    )
    assert any("40%" in line for line in describe(result))


def test_a_series_that_is_too_short_is_undecided():
    result = recorded("sustained", *points("net:a", 5.0, 8.0, count=6))
    drift = result.runs[0].sustained.drift
    assert (drift.verdict, drift.low) == ("undecided", None)
    assert result.runs[1].sustained is None


def test_what_a_cut_link_leaves_of_a_search_and_of_a_series():
    trial = {"event": "trial", "id": "net:a", "phase": "search", "rate": 10.0, "arrivals": 100}
    trial |= {"over": 2, "kept": False, "aborted": False, "latency_ms": {"p50": 1.0}}
    cut = Recording(Config((), mode="open-loop", limit_ms=10.0))
    cut.add(read_event({"event": "candidate", "id": "net:a", "state": "ready", "reason": ""}))
    cut.add(read_event(trial))
    cut.interruption = "The connection was lost."
    result = results.build(cut, CHOSEN)
    found = result.runs[0].open_loop
    assert (found.kept, found.over_share, len(found.trials)) == (None, 0.02, 1)
    assert result.runs[1].open_loop is None
    assert "net:a: The search ended early, after 1 trials." in result.notes
    assert any("search" in line for line in describe(result))
    cut = Recording(Config((), mode="sustained"))
    for event in points("net:a", 5.0, 8.0, count=30):
        cut.add(read_event(event))
    assert len(results.build(cut, CHOSEN).runs[0].sustained.series) == 30
