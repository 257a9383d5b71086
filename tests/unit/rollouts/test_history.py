"""Rollouts in time: from ledgers that were interrupted, halted and resumed, and from runs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.documents.dataclass_json import to_json
from studio.rollouts.history import RolloutSpan, rollout_spans
from studio.rollouts.results import TargetRow
from studio.rollouts.rollout_state import RolloutHead, RolloutState, place_of
from studio.workspace import Workspace

RELEASE = "ab" * 32
BEGAN = 1_790_000_000.0


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open(tmp_path / "home") as opened:
        yield opened


@pytest.fixture
def ledger(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> RolloutState:
    """A rollout to four targets in two waves, a second for each line."""
    now = iter(range(1000))
    monkeypatch.setattr("studio.rollouts.rollout_state.time.time", lambda: BEGAN + next(now))
    head = RolloutHead(("a", "b", "c", "d"), "/nowhere", None, None, {})
    return RolloutState.begin(place_of(workspace.paths.data), head, RELEASE, None)


def move(ledger: RolloutState, target: str, wave: int, *states: str) -> None:
    """Let a target go through some states."""
    for state in states:
        ledger.append("row", row=to_json(TargetRow(target, wave, state)))


def only(workspace: Workspace) -> RolloutSpan:
    """Return the one rollout."""
    (found,) = rollout_spans(workspace.registry)
    return found


def run(workspace: Workspace, **changes: Any) -> None:
    """Record the run of another studio's rollout."""
    targets = [{"target": "x", "wave": 1, "state": "kept"}]
    result = {"state": "done", "rollout": "20260101-000000-cdcdcdcd", "name": "digits"}
    result |= {"version": 3, "release": "cd" * 32, "targets": targets, "kept": 1, "seconds": 40.0}
    workspace.registry.add_run("rollout", None, {}, {**result, **changes})


def test_an_interrupted_rollout_ends_with_its_last_change(
    workspace: Workspace, ledger: RolloutState
) -> None:
    move(ledger, "a", 1, "waiting", "deploying", "kept")
    move(ledger, "b", 2, "deploying")
    found = only(workspace)
    assert found.state == "interrupted"
    assert (found.begin, found.end) == (BEGAN, BEGAN + 4)
    assert found.targets == {"kept": 1, "deploying": 1, "waiting": 2}
    assert [(one.number, one.begin, one.end) for one in found.waves] == [
        (1, BEGAN + 2, BEGAN + 3),
        (2, BEGAN + 4, BEGAN + 4),
    ]
    assert found.title == "release abababab"


def test_what_follows_a_line_torn_by_a_power_cut_is_read(ledger: RolloutState) -> None:
    ledger.append("ended", state="halted")
    with (ledger.folder / "ledger.jsonl").open("ab") as file:
        file.write(b'{"kind": "recor')
    assert ledger.read().state == "halted"
    ledger.append("resumed")
    assert ledger.read().state == "open"
    assert [line.kind for line in ledger.changes()] == ["begun", "ended", "resumed"]


def test_a_claimed_rollout_is_running(workspace: Workspace, ledger: RolloutState) -> None:
    ledger.claim()
    assert ledger._claim is not None
    with ledger._claim:
        assert only(workspace).state == "running"
    assert only(workspace).state == "interrupted"


def test_halts_and_rollbacks_have_their_times(workspace: Workspace, ledger: RolloutState) -> None:
    move(ledger, "a", 1, "deploying", "taken back")
    ledger.append("ended", state="halted")
    ledger.append("resumed")
    move(ledger, "a", 1, "deploying", "kept")
    ledger.append("ended", state="done")
    found = only(workspace)
    assert found.state == "done"
    assert found.rollbacks == (BEGAN + 2,)
    assert found.halts == (BEGAN + 3,)
    assert found.targets == {"kept": 1, "waiting": 3}


def test_a_rollout_of_another_studio_is_known_by_its_run(workspace: Workspace) -> None:
    run(workspace)
    found = only(workspace)
    assert (found.title, found.state) == ("digits v3", "done")
    assert found.end - found.begin == pytest.approx(40.0)
    assert abs(found.end - time.time()) < 60
    assert found.targets == {"kept": 1}


def test_a_resumed_rollout_of_another_studio_is_one(workspace: Workspace) -> None:
    back = [{"target": "x", "wave": 1, "state": "taken back"}]
    run(workspace, state="halted", targets=back, kept=0)
    run(workspace)
    found = only(workspace)
    assert found.state == "done"
    assert len(found.halts) == 1
    assert found.rollbacks == ()


def test_a_run_and_its_ledger_are_one_rollout(workspace: Workspace, ledger: RolloutState) -> None:
    move(ledger, "a", 1, "deploying", "kept")
    ledger.append("ended", state="done")
    run(workspace, rollout=ledger.name)
    assert only(workspace).title == "digits v3"


@pytest.mark.parametrize("content", ["", "{}", '{"kind": 7}', "\x00", '{"kind": "row", "row": {}}'])
def test_a_damaged_ledger_is_left_out(
    workspace: Workspace, ledger: RolloutState, content: str
) -> None:
    (ledger.folder / "ledger.jsonl").write_text(content)
    assert rollout_spans(workspace.registry) == []


def test_a_line_without_a_time_does_not_matter(workspace: Workspace, ledger: RolloutState) -> None:
    with (ledger.folder / "ledger.jsonl").open("a") as file:
        file.write(json.dumps({"kind": "recorded", "targets": []}) + "\n")
    assert only(workspace).end == BEGAN
