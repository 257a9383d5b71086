"""Speed against a baseline: the ratio, its interval, and why it is slower."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.runtime.serve.statistics.board_state import BoardHistory, BoardMonitor
from studio.runtime.serve.statistics.speed_monitor import (
    SpeedBaseline,
    SpeedMonitor,
    of_profiles,
    of_start,
)

HERE = {"cpu": "Cortex-A72", "arch": "aarch64", "board": "Raspberry Pi 4"}
MINUTE = 60.0
UNKNOWN = BoardHistory()


def profile(**changes: Any) -> dict[str, Any]:
    fixed = {
        "target": "pi",
        "threads": 1,
        "p50_ms": 10.0,
        "error": 0.01,
        "rows": 1,
        "bytes": 1000,
        "machine": HERE,
        "clock_mhz": 1800.0,
    }
    return {**fixed, **changes}


def made(*profiles: dict[str, Any], threads: int = 1) -> tuple[SpeedBaseline | None, str]:
    return of_profiles({"form": 1, "profiles": list(profiles)}, HERE, threads)


def seen(
    ms: float, noise: float = 0.02, rows: int = 1, size: float = 1000.0, **more: Any
) -> SpeedMonitor:
    """Twenty requests a second for a minute."""
    found, note = made(profile())
    pace = SpeedMonitor(found, note, 4)
    draws = np.random.default_rng(1)
    now = np.arange(0, MINUTE, 0.05)
    seconds = ms / 1e3 * rows * np.exp(noise * draws.standard_normal(len(now)))
    ones = np.ones(len(now))
    queue = ones * float(more.get("queue", 0.0))
    pace.runs.record(now, seconds, rows * ones, queue, size * ones)
    return pace


def told(pace: SpeedMonitor, state: BoardHistory = UNKNOWN) -> dict[str, Any]:
    status = pace.status(MINUTE - 1, state)
    json.dumps(status)  # travels as JSON
    return status


def test_the_profile_of_this_machine_and_these_threads_is_taken() -> None:
    others = profile(machine={**HERE, "cpu": "Cortex-A53"}), profile(threads=4)
    found, note = made(*others, profile(p50_ms=7.0))
    assert (note, found is not None and found.ms) == ("", 7.0)


@pytest.mark.parametrize(
    ("profiles", "sentence"),
    [
        ([], "no profile of this model"),
        ([profile(machine={})], r"profiles \(pi\) are of other machines"),
        ([profile(threads=4)], "with 4 threads and is served with 1"),
        ([profile(p50_ms="x")], "cannot be read"),
        ([profile(p50_ms=0)], "cannot be read"),
    ],
)
def test_why_there_is_none(profiles: list[dict[str, Any]], sentence: str) -> None:
    found, note = made(*profiles)
    assert found is None
    assert re.search(sentence, note)


def test_as_fast_as_profiled() -> None:
    status = told(seen(10.2))
    assert (status["verdict"], status["cause"]) == ("as measured", "")
    assert status["low"] < 1.02 < status["high"]
    assert status["ratio"] == pytest.approx(1.02, abs=0.03)


def test_slower_because_the_board_throttles() -> None:
    state = BoardHistory(("soft temperature limit",), 1000.0, 1800.0, 84.0, 0.1)
    status = told(seen(18.0), state)
    assert (status["verdict"], status["cause"]) == ("slower", "throttling")
    assert "soft temperature limit, 84 °C, 1000 MHz where 1800 were profiled" in status["text"]
    assert "explains 1.80" in status["text"]


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        (BoardHistory((), 1000.0, 1800.0, 50.0, 0.1), "clock"),
        (BoardHistory((), 1800.0, 1800.0, 50.0, 3.4), "load"),
        (BoardHistory((), 1800.0, 1800.0, 50.0, 0.1, 0.2), "stolen"),
        (BoardHistory((), 1800.0, 1800.0, 50.0, 0.1), "unknown"),
        (BoardHistory(), "unknown"),
    ],
)
def test_slower_for_another_reason(state: BoardHistory, cause: str) -> None:
    status = told(seen(18.0), state)
    assert (status["verdict"], status["cause"]) == ("slower", cause)
    assert "throttles (" not in status["text"]


def test_throttled_but_as_fast_as_before_is_no_verdict() -> None:
    assert told(seen(10.0), BoardHistory(("clock capped",), 1000.0))["cause"] == ""


def test_requests_of_another_size_are_not_held_against_it() -> None:
    status = told(seen(30.0, size=4000.0))
    assert status["verdict"] == ""
    assert "another size" in status["text"]


def test_waiting_is_told_apart_from_running() -> None:
    status = told(seen(10.0, queue=0.05))
    assert status["verdict"] == "as measured"
    assert "clients wait 50 ms for their turn" in status["text"]
    assert status["queue_ms"] == pytest.approx(50.0)


def test_a_batch_counts_by_the_row() -> None:
    assert told(seen(10.0, rows=8))["ratio"] == pytest.approx(1.0, abs=0.03)


def test_one_bad_piece_of_five_seconds_changes_nothing() -> None:
    pace = seen(10.0)
    now = np.arange(20.0, 25.0, 0.001)
    ones = np.ones(len(now))
    pace.runs.record(now, 0.08 * ones, ones, 0 * ones, 1000 * ones)
    assert told(pace)["verdict"] == "as measured"
    assert "within the" not in told(pace)["text"]


def test_a_wide_spread_is_undecided() -> None:
    pace = seen(11.0, noise=0.02)
    assert told(pace)["verdict"] == "undecided"


def test_few_requests_say_nothing() -> None:
    found, note = made(profile())
    pace = SpeedMonitor(found, note, 4)
    ones = np.ones(3)
    pace.runs.record(np.arange(3.0), 0.01 * ones, ones, 0 * ones, 1000 * ones)
    assert told(pace)["text"].startswith("Too few requests in the last minute (3)")


def test_many_requests_in_a_few_seconds_are_not_called_few() -> None:
    found, note = made(profile())
    pace = SpeedMonitor(found, note, 4)
    ones = np.ones(400)
    now = MINUTE - 5 + np.arange(400) / 100
    pace.runs.record(now, 0.01 * ones, ones, 0 * ones, 1000 * ones)
    assert told(pace)["text"] == "Too soon to say: requests must come for 15 s."


def test_a_minute_later_it_is_forgotten() -> None:
    pace = seen(10.0)
    assert pace.status(2 * MINUTE + 5, BoardHistory())["ratio"] is None


def test_a_tiny_model_has_room_for_what_a_cold_cache_costs() -> None:
    pace = SpeedMonitor(SpeedBaseline("profile", 0.02, 0.01), "", 4)
    now = np.arange(0, MINUTE, 0.05)
    ones = np.ones(len(now))
    pace.runs.record(now, 5e-5 * ones, ones, 0 * ones, ones)
    assert told(pace)["verdict"] == "as measured"
    assert "within the 0.15 ms that a request may take more" in told(pace)["text"]


def test_without_a_profile_the_start_is_the_baseline() -> None:
    found = of_start([0.01, 0.011, 0.01, 0.0102, 0.0098, 0.0101], 1000.0, 1)
    assert found is not None
    assert found.ms == pytest.approx(10.05, abs=0.1)
    assert of_start([0.01], 1000.0, 1) is None
    status = SpeedMonitor(None, "The bundle holds no profile of this model.", 4).status(
        0.0, BoardHistory()
    )
    assert status["text"] == "There is nothing to hold its speed against."


# The machine, as the kernel's files tell it


def board(root: Path, **files: str) -> BoardMonitor:
    for name, content in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return BoardMonitor(str(root), iter(range(1000)).__next__)


PI = "sys__devices__platform__soc__soc:firmware__get_throttled"
CPU = "sys__devices__system__cpu__cpu0__cpufreq__"
COOLING = "sys__class__thermal__cooling_device0__"


def state_of(machine: BoardMonitor, looks: int = 2) -> BoardHistory:
    for _ in range(looks):
        machine.sample()
    return machine.state()


def test_a_raspberry_pi_that_is_too_hot(tmp_path: Path) -> None:
    clocks = {CPU + "scaling_cur_freq": "1000000", CPU + "cpuinfo_max_freq": "1800000"}
    zone = {"sys__class__thermal__thermal_zone0__temp": "84300"}
    state = state_of(board(tmp_path, **{PI: "80008"}, **clocks, **zone))
    assert state.throttled == ("soft temperature limit",)  # what was once is not now
    assert (state.clock_mhz, state.most_mhz, state.celsius) == (1000.0, 1800.0, 84.3)


def test_a_pi_that_was_throttled_once_is_not_now(tmp_path: Path) -> None:
    assert state_of(board(tmp_path, **{PI: "50000"})).throttled == ()


@pytest.mark.parametrize("content", ["", "nonsense", "-1", "0xzz"])
def test_a_driver_that_tells_nonsense_tells_nothing(tmp_path: Path, content: str) -> None:
    files = {PI: content, CPU + "scaling_cur_freq": content, COOLING + "cur_state": content}
    state = state_of(board(tmp_path, **files))
    assert (state.throttled, state.clock_mhz) == ((), None)


def test_a_processor_that_is_cooled_passively(tmp_path: Path) -> None:
    files = {COOLING + "type": "cpufreq-cpu0", COOLING + "cur_state": "3"}
    assert state_of(board(tmp_path, **files)).throttled == ("cpufreq-cpu0 slowed to cool it",)


def test_a_fan_that_turns_is_no_throttling(tmp_path: Path) -> None:
    files = {COOLING + "type": "pwm-fan", COOLING + "cur_state": "3"}
    assert state_of(board(tmp_path, **files)).throttled == ()


def test_events_of_a_jetson_count_from_now_on(tmp_path: Path) -> None:
    name = "sys__class__hwmon__hwmon3__oc1_event_cnt"
    machine = board(tmp_path, **{name: "7"})
    assert state_of(machine).throttled == ()
    board(tmp_path, **{name: "9"})
    assert state_of(machine, 1).throttled == ("2 throttle events",)


def test_a_clock_that_may_not_rise(tmp_path: Path) -> None:
    files = {CPU + "scaling_max_freq": "1200000", CPU + "cpuinfo_max_freq": "1800000"}
    assert state_of(board(tmp_path, **files)).throttled == ("clock capped at 1200 of 1800 MHz",)


def test_who_else_works_there(tmp_path: Path) -> None:
    machine = board(tmp_path, proc__stat="cpu 100 0 0 100 0 0 0 0")
    machine.sample()
    board(tmp_path, proc__stat="cpu 250 0 0 130 0 0 0 20")
    machine.sample()
    state = machine.state()
    assert state.others == pytest.approx(1.7, abs=0.1)  # of two processors, in the one second
    assert state.stolen == pytest.approx(0.1)


def test_this_computer_can_be_looked_at() -> None:
    machine = BoardMonitor()
    machine.sample()
    json.dumps(machine.state().to_json())
