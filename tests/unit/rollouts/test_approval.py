"""A rollout of the command line that waits until another person's key has approved its plan."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.settings import Paths
from studio.workspace import Workspace
from tests.rigs.agents.sessions import at_terminal
from tests.rigs.boards import until
from tests.rigs.fleet.driver import agree
from tests.rigs.plan_approvers import allow, approver_key
from tests.unit.rollouts.test_fleet import Fleet

pytestmark = [pytest.mark.slow, pytest.mark.needs("ssh-keygen")]

_WORDS = ("--target", "@all", "--strategy", "waves", "--wave-size", "6", "--requests", "4")


@pytest.fixture
def fleet(studio_home: Path, tmp_path: Path) -> Iterator[Fleet]:
    made = Fleet(studio_home, tmp_path)
    with made.boards:
        made.boards.start()
        with Workspace.open() as opened:
            agree(opened)
            made.boards.introduce(opened)
        yield made


@pytest.fixture
def key(tmp_path: Path, fleet: Fleet) -> Path:
    """The key of the one approver."""
    path = approver_key(tmp_path)
    allow(Paths.of(), path, "bob@desk")
    return path


def waiting() -> str:
    """Return the digest of the plan that waits; empty without one."""
    with Workspace.open() as opened:
        return next((one.digest for one in opened.plans.all() if one.state == "waiting"), "")


def test_the_rollout_waits_and_then_goes_to_all(fleet: Fleet, key: Path) -> None:
    words = fleet.command("rollout", "--bundle", str(fleet.first.folder), *_WORDS)
    studio = subprocess.Popen(
        [*words, "--needs-approval"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        until(lambda: waiting() != "", "the plan waits", 60)
        assert fleet.serving(fleet.first) == []
        with Workspace.open() as opened:
            opened.plans.approve(waiting(), key)
        out, errors = studio.communicate(timeout=120)
    finally:
        studio.kill()
        studio.wait()
    assert studio.returncode == 0, errors
    assert "Approved by bob@desk." in errors
    assert len(fleet.serving(fleet.first)) == fleet.boards.count
    assert "done, kept on" in out


def test_a_plan_that_still_waits_is_carried_out_later(fleet: Fleet, key: Path) -> None:
    words = fleet.command("rollout", "--bundle", str(fleet.first.folder), *_WORDS)
    studio = subprocess.Popen([*words, "--needs-approval"], stderr=subprocess.DEVNULL)
    until(lambda: waiting() != "", "the plan waits", 60)
    studio.kill()
    studio.wait()
    with Workspace.open() as opened:
        digest = waiting()
        opened.plans.approve(digest, key)
        assert opened.plans.run(digest).ok
        assert opened.plans.one(digest).by == "bob@desk"
    assert len(fleet.serving(fleet.first)) == fleet.boards.count


def test_a_rejected_rollout_ends_with_one_sentence(fleet: Fleet) -> None:
    words = fleet.command("rollout", "--bundle", str(fleet.first.folder), *_WORDS)
    studio = subprocess.Popen([*words, "--needs-approval"], stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: waiting() != "", "the plan waits", 60)
        with Workspace.open() as opened:
            opened.plans.reject(waiting())
        errors = studio.communicate(timeout=60)[1]
    finally:
        studio.kill()
        studio.wait()
    assert studio.returncode != 0
    assert "rejected the plan" in errors
    assert fleet.serving(fleet.first) == []


def test_a_deployment_to_a_protected_board_waits_without_an_option(fleet: Fleet, key: Path) -> None:
    board = fleet.boards.names[0]
    with Workspace.open() as opened:
        opened.registry.labels.change(board, {"approval": "required"})
    words = fleet.command("deploy", "--bundle", str(fleet.first.folder), "--target", board)
    studio = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: waiting() != "", "the plan waits", 60)
        assert fleet.serving(fleet.first) == []
        with Workspace.open() as opened:
            assert opened.plans.one(waiting()).plan.needs_second
            opened.plans.approve(waiting(), key)
        errors = studio.communicate(timeout=120)[1]
    finally:
        studio.kill()
        studio.wait()
    assert studio.returncode == 0, errors
    assert f"Only an approved plan changes {board} (label approval=required)." in errors
    assert fleet.serving(fleet.first) == [board]


def test_an_approver_at_another_computer_signs_a_file(
    fleet: Fleet, key: Path, tmp_path: Path
) -> None:
    words = fleet.command("rollout", "--bundle", str(fleet.first.folder), *_WORDS)
    studio = subprocess.Popen([*words, "--needs-approval"], stderr=subprocess.PIPE, text=True)
    there = {**os.environ, "EDGEWRIGHT_HOME": str(tmp_path / "bob")}
    plan = tmp_path / "all.plan"
    sign = ["plan", "sign", str(plan), "--key", str(key)]
    try:
        until(lambda: waiting() != "", "the plan waits", 60)
        digest = waiting()
        export = fleet.command("plan", "export", digest, "--out", str(plan))
        subprocess.run(export, check=True, timeout=60)
        assert at_terminal(sign, "00000000", there)[0] == 4
        code, shown = at_terminal(sign, digest[:8], there)
        assert code == 0, shown
        assert "Wave 2, 6 targets" in shown
        approve = fleet.command("plan", "approve", digest, "--signed", f"{plan}.signed")
        subprocess.run(approve, check=True, timeout=60, stdin=subprocess.DEVNULL)
        errors = studio.communicate(timeout=120)[1]
    finally:
        studio.kill()
        studio.wait()
    assert studio.returncode == 0, errors
    assert "Approved by bob@desk." in errors
    assert len(fleet.serving(fleet.first)) == fleet.boards.count
