"""Bench commands that end badly, and recordings of benches that were cut off."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from studio.api import Cancelled, Completed, StudioError, TargetError
from studio.documents.dataclass_json import to_json
from studio.profiling import build as results
from studio.profiling.command import LocalRunner, run_bench
from studio.profiling.plan import Candidate
from studio.profiling.recording import Recording, read_event
from studio.registry import ModelRef
from studio.runtime.bench.config import Config
from studio.runtime.bench.events import Event

CONFIG = Config((), seconds=1)
PATIENCE = 30.0


def script(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def ignore(_event: Event) -> None:
    pass


def round_event(number: int, spoiled: Sequence[str] = (), factor: float = 2.0) -> dict[str, Any]:
    times = {"cnn:a": [1000, 1000], "cnn:b": [int(1000 * factor)] * 2}
    return {
        "event": "round",
        "round": number,
        "of": 40,
        "times_ns": times,
        "cpu_ns": {name: sum(block) for name, block in times.items()},
        "clock_mhz": None,
        "temperature_c": None,
        "spoiled": list(spoiled),
    }


def start_events() -> list[dict[str, Any]]:
    return [
        {"event": "started", "protocol": 1, "environment": {"cpu": "x"}},
        {"event": "candidate", "id": "cnn:a", "state": "ready", "reason": ""},
        {"event": "candidate", "id": "cnn:b", "state": "ready", "reason": ""},
    ]


def chosen() -> list[Candidate]:
    return [
        Candidate(
            f"cnn:{name}",
            ModelRef("m", name, number, 1, "cnn", name, "onnx", "fp32"),
            "onnxruntime",
            Path("runner.py"),
            {},
        )
        for number, name in enumerate("ab", 1)
    ]


class Script:
    """A command runner that says lines and then breaks off, or ends."""

    def __init__(self, events: Sequence[dict[str, Any]], error: Exception | None = None) -> None:
        self._events = events
        self._error = error

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout: float = 60.0,
        on_line: Callable[[str], None] | None = None,
    ) -> Completed:
        assert on_line is not None
        for event in self._events:
            on_line(json.dumps(event))
        if self._error is not None:
            raise self._error
        return Completed(9, b"", b"the reason on standard error")


def test_a_bench_that_is_no_bench(job):
    with pytest.raises(StudioError, match="ended with status 4") as caught:
        run_bench(LocalRunner(job.folder, job), script("import sys; sys.exit(4)"), CONFIG, ignore)
    assert caught.value.hint == ""


def test_a_bench_that_is_killed(job):
    argv = script("import os; os.kill(os.getpid(), 11)")
    with pytest.raises(StudioError, match="killed by signal 11"):
        run_bench(LocalRunner(job.folder, job), argv, CONFIG, ignore)


def test_what_it_wrote_on_standard_error_is_kept_as_detail(job):
    argv = script("import sys; print('native complaint', file=sys.stderr); sys.exit(1)")
    with pytest.raises(StudioError) as caught:
        run_bench(LocalRunner(job.folder, job), argv, CONFIG, ignore)
    assert "native complaint" in caught.value.detail


def test_a_silent_bench_is_cancelled_at_once(job):
    begin = time.monotonic()
    job.cancelled = True
    argv = script("import sys; sys.stdin.readline(); sys.stdin.read()")
    with pytest.raises(Cancelled):
        run_bench(LocalRunner(job.folder, job), argv, CONFIG, ignore)
    assert time.monotonic() - begin < PATIENCE


def test_lines_that_are_no_events_are_ignored(job):
    argv = script("print('hello'); print('{\"event\": \"newer\"}'); print('[1]')")
    with pytest.raises(StudioError, match="ended with status 0"):
        run_bench(LocalRunner(job.folder, job), argv, CONFIG, ignore)


def test_a_cut_link_keeps_the_finished_rounds():
    events = [*start_events(), *(round_event(number) for number in range(1, 13))]
    cut = Script(events, TargetError("The connection to the board was lost."))
    recording = run_bench(cut, [], CONFIG, ignore)
    result = results.build(recording, chosen())
    assert not result.complete
    assert result.interruption == "The connection to the board was lost."
    assert result.rounds == 12
    assert [run.samples for run in result.runs] == [24, 24]
    assert result.verdicts[0].verdict == "slower"
    assert result.verdicts[0].ratio == pytest.approx(2)
    json.dumps(to_json(result), allow_nan=False)


def test_a_cut_link_before_the_first_round_is_an_error():
    with pytest.raises(TargetError, match="was lost"):
        run_bench(Script(start_events(), TargetError("It was lost.")), [], CONFIG, ignore)


def test_a_bench_that_ends_early_keeps_its_rounds():
    recording = run_bench(Script([*start_events(), round_event(1)]), [], CONFIG, ignore)
    assert recording.interruption == "The bench ended with status 9 before it had a result."


def test_spoiled_rounds_are_dropped_and_counted():
    recording = Recording(CONFIG)
    for event in start_events():
        recording.add(read_event(event))
    for number in range(1, 21):
        bad = number % 4 == 0
        recording.add(read_event(round_event(number, ["stolen time"] * bad, 9.0 if bad else 1.0)))
    result = results.build(recording, chosen())
    assert result.rounds == 20
    assert result.rounds_kept == 15
    assert result.spoiled_reasons == {"stolen time": 5}
    assert result.runs[1].samples == 30
    assert result.verdicts[0].ratio == pytest.approx(1)
    assert result.verdicts[0].verdict == "equal"


def test_a_machine_that_was_never_quiet_keeps_all_rounds_and_says_so():
    recording = Recording(CONFIG)
    for event in start_events():
        recording.add(read_event(event))
    for number in range(1, 13):
        recording.add(read_event(round_event(number, ["stolen time"] * (number > 2))))
    result = results.build(recording, chosen())
    assert result.rounds_kept == 12
    assert result.spoiled == 10
    assert result.spoiled_kept
