"""The state of a target: what was measured, else what was recorded, and never more than that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.api import TargetSpec
from studio.gui.pages.shared.target_states import LiveFigures, TargetState, target_states
from studio.workspace import Workspace

BOARD = TargetSpec("jetson-07", "ssh://nvidia@10.0.0.7")
DIGEST = "ab" * 32
LATER = "2999-01-01T00:00:00.000+00:00"
BEFORE = "2000-01-01T00:00:00.000+00:00"


@pytest.fixture
def workspace(studio_home: Path) -> Iterator[Workspace]:
    with Workspace.open(studio_home) as opened:
        opened.add_target(BOARD)
        yield opened


def state(workspace: Workspace, **seen: Any) -> TargetState:
    """The state of the board, with a measurement where one is given."""
    live = {BOARD.name: LiveFigures(BOARD.name, **seen)} if seen else {}
    return target_states(workspace, live)[BOARD.name]


def deployed(workspace: Workspace) -> str:
    details = {"version": 3, "name": "digits", "variant_name": "int8"}
    workspace.registry.add_release(BOARD.name, None, DIGEST, "serving", details)
    return workspace.registry.releases(BOARD.name)[0].created


def test_a_target_that_nobody_has_reached_is_not_checked(workspace: Workspace) -> None:
    assert state(workspace) == TargetState("not checked yet")
    workspace.registry.set_facts(BOARD.name, {"arch": "aarch64"})
    assert state(workspace) == TargetState("no release")


def test_a_deployment_is_the_last_check_until_another(workspace: Workspace) -> None:
    created = deployed(workspace)
    assert state(workspace) == TargetState("serving", "good", "v3 int8", created)
    found = state(workspace, digest=DIGEST, health="degraded", checked=LATER)
    assert (found.word, found.tone, found.checked) == ("degraded", "bad", LATER)


@pytest.mark.parametrize(
    ("health", "word", "tone"),
    [("no answer", "unreachable", "bad"), ("nothing deployed", "no release", "warning")],
)
def test_a_later_look_counts_for_more_than_the_record(
    workspace: Workspace, health: str, word: str, tone: str
) -> None:
    deployed(workspace)
    found = state(workspace, digest="", health=health, checked=LATER)
    assert (found.word, found.tone, found.release) == (word, tone, "v3 int8")
    earlier = state(workspace, digest="", health=health, checked=BEFORE)
    assert (earlier.word, earlier.tone) == ("serving", "good")


def test_what_was_measured_of_another_release_does_not_count(workspace: Workspace) -> None:
    created = deployed(workspace)
    found = state(workspace, digest="cd" * 32, health="degraded", checked=LATER)
    assert found == TargetState("serving", "good", "v3 int8", created)


def test_the_newest_recorded_look_is_taken(workspace: Workspace) -> None:
    deployed(workspace)
    for health, digest in (("no answer", ""), ("serving", DIGEST)):
        look = {"target": BOARD.name, "state": health, "release": digest, "facts": {}}
        workspace.registry.add_run("target-look", None, {}, {"targets": [look]})
    assert state(workspace).word == "serving"
