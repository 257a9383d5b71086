"""The run of a wave: its targets begin as the parallel limit, budgets and windows allow."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from studio.api import Cancelled
from studio.jobs import Job
from studio.rollouts.disruption import DisruptionBudget, Disruptions
from studio.rollouts.maintenance import MaintenanceWindow
from studio.rollouts.results import TargetRow
from studio.rollouts.target_rollout import TargetRollout
from studio.rollouts.wave_run import WaveLimits, WaveRun

SITES = {f"t{number}": {"site": "xyz"[number % 3]} for number in range(12)}
NIGHT = MaintenanceWindow.parse("daily 02:00-03:00 UTC")


class Member:
    """A target whose release takes a moment."""

    def __init__(self, name: str) -> None:
        self.row = TargetRow(name, 1)

    def leave(self, reason: str) -> None:
        """Note that it was not begun."""
        self.row = replace(self.row, state="not begun", text=reason)


class Recorder:
    """A job and the releases to its targets; notes how many are away at the same time."""

    def __init__(self, fails: frozenset[str] = frozenset()) -> None:
        self._lock = threading.Lock()
        self._fails = fails
        self.away: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.lines: list[str] = []
        self.is_cancelled = False

    def release(self, member: Any) -> None:
        """Take a moment, and keep the release."""
        groups = (SITES[member.row.target]["site"], "all")
        with self._lock:
            self.away.update(groups)
            self.most = self.most | self.away
        time.sleep(0.02)
        with self._lock:
            self.away.subtract(groups)
        state = "failed" if member.row.target in self._fails else "kept"
        member.row = replace(member.row, state=state)

    def log(self, text: str) -> None:
        """Note a line."""
        self.lines.append(text)

    def check(self) -> None:
        """Raise when it is cancelled."""
        if self.is_cancelled:
            raise Cancelled("cancelled")


def run(recorder: Recorder, names: list[str], **limits: Any) -> list[str]:
    """Run a wave; return the states of its targets."""
    budgets = [DisruptionBudget.parse(text) for text in limits.pop("budgets", ())]
    disruptions = Disruptions(budgets, names, SITES)
    wave_limits = WaveLimits(
        limits.pop("parallel", 8), limits.pop("windows", ()), disruptions, **limits
    )
    members = [Member(name) for name in names]
    wanted = cast(list[TargetRollout], members)
    WaveRun(wanted, wave_limits, recorder.release, cast(Job, recorder)).run(lambda: False)
    return [member.row.state for member in members]


def test_no_more_than_the_parallel_limit_at_once() -> None:
    recorder = Recorder()
    assert run(recorder, list(SITES), parallel=3) == ["kept"] * 12
    assert recorder.most["all"] == 3


def test_no_more_of_a_group_than_its_budget() -> None:
    recorder = Recorder()
    assert run(recorder, list(SITES), budgets=("site=1",)) == ["kept"] * 12
    assert {recorder.most[site] for site in "xyz"} == {1}
    assert recorder.most["all"] == 3


def test_a_failed_target_uses_up_its_budget_and_the_rest_of_its_group_is_left() -> None:
    recorder = Recorder(frozenset({"t0"}))
    states = dict(zip(SITES, run(recorder, list(SITES), budgets=("site=1",)), strict=True))
    assert states["t0"] == "failed"
    assert {states[name] for name in ("t3", "t6", "t9")} == {"not begun"}
    assert {states[name] for name in ("t1", "t2", "t4", "t5", "t7", "t8")} == {"kept"}


def test_targets_begin_when_the_window_opens_and_it_is_said_once() -> None:
    start = datetime(2026, 12, 1, 1, 59, 58, tzinfo=UTC)
    began = time.monotonic()

    def clock() -> datetime:
        return start + timedelta(seconds=4 * (time.monotonic() - began))

    recorder = Recorder()
    assert run(recorder, ["t0", "t1"], windows=[NIGHT], clock=clock) == ["kept"] * 2
    assert clock() >= datetime(2026, 12, 1, 2, tzinfo=UTC)
    assert recorder.lines == ["The maintenance window opens at 2026-12-01 02:00 UTC."]


def test_a_wait_for_the_window_can_be_cancelled() -> None:
    recorder = Recorder()
    timer = threading.Timer(0.1, lambda: setattr(recorder, "is_cancelled", True))
    timer.start()
    noon = datetime(2026, 12, 1, 12, tzinfo=UTC)
    with pytest.raises(Cancelled):
        run(recorder, ["t0"], windows=[NIGHT], clock=lambda: noon)
    assert recorder.most == Counter()
