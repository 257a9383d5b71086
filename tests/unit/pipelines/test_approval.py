"""Pipelines of the command line that deploy to protected targets: they wait for a second person."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from studio.settings import Paths
from studio.workspace import Workspace
from tests.e2e.conftest import STUDIO
from tests.rigs.boards import until
from tests.rigs.plan_approvers import allow, approver_key

pytestmark = [pytest.mark.slow, pytest.mark.needs("ssh-keygen")]

Start = Callable[..., "subprocess.Popen[str]"]
PIPELINE = """\
[pipeline]
name = "stop"

[[steps]]
id = "look"
step = "monitor-silence"
target = "*"
minutes = 5

[[steps]]
id = "stop"
step = "undeploy"
target = "local"
"""


@pytest.fixture
def key(studio_home: Path, tmp_path: Path) -> Path:
    """The key of the one approver; `local` is protected."""
    path = approver_key(tmp_path)
    allow(Paths.of(), path, "bob@desk")
    with Workspace.open() as opened:
        opened.registry.labels.change("local", {"approval": "required"})
    return path


@pytest.fixture
def start(tmp_path: Path, key: Path) -> Iterator[Start]:
    """Start `studio run`; what waits still is ended."""
    (tmp_path / "p.toml").write_text(PIPELINE)
    started: list[subprocess.Popen[str]] = []

    def call(*words: str) -> subprocess.Popen[str]:
        started.append(
            subprocess.Popen(
                [str(STUDIO), "run", *words],
                cwd=tmp_path,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        )
        return started[-1]

    yield call
    for one in started:
        one.kill()
        one.communicate()


def plans() -> list[str]:
    """Digest of each plan that waits."""
    with Workspace.open() as opened:
        return [one.digest for one in opened.plans.all() if one.state == "waiting"]


def test_it_waits_and_runs_the_step_that_was_approved(start: Start, key: Path) -> None:
    run = start("p.toml")
    until(lambda: len(plans()) == 1, "the plan waits", 60)
    with Workspace.open() as opened:
        opened.plans.approve(plans()[0], key)
    out, errors = run.communicate(timeout=120)
    assert run.returncode == 0, errors
    assert "It needs the approval of a second person." in errors
    assert "Approved by bob@desk." in errors
    assert "stop" in out


def test_a_run_that_was_killed_waits_for_the_same_plan_when_it_is_resumed(
    start: Start, key: Path
) -> None:
    run = start("p.toml")
    until(lambda: len(plans()) == 1, "the plan waits", 60)
    run.kill()
    run.communicate()
    [digest] = plans()
    with Workspace.open() as opened:
        opened.plans.approve(digest, key)
    again = start("--resume", "last")
    _, errors = again.communicate(timeout=120)
    assert again.returncode == 0, errors
    with Workspace.open() as opened:
        assert [(one.digest, one.state) for one in opened.plans.all()] == [(digest, "done")]


def test_a_plan_that_is_rejected_fails_the_run(start: Start, key: Path) -> None:
    run = start("p.toml")
    until(lambda: len(plans()) == 1, "the plan waits", 60)
    with Workspace.open() as opened:
        opened.plans.reject(plans()[0])
    out, errors = run.communicate(timeout=120)
    assert run.returncode == 4
    assert "rejected the plan" in out
    assert "Traceback" not in out + errors


def test_a_pipeline_of_another_program_is_refused(start: Start, tmp_path: Path) -> None:
    """The library and the window have no place at which they could wait."""
    with Workspace.open() as opened:
        report = opened.runs.run(tmp_path / "p.toml")
    assert report.exit_code == 4
    [failed] = [one for one in report.steps if one.state == "failed"]
    assert "Only an approved plan changes local" in failed.message
