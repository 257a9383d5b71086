"""Rollouts that a second person approves: not their author, and not after a rejection."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from studio.api import Refused, TargetSpec
from studio.plans import PlanEntry, PlanRequest
from studio.plans.plans import Plans
from studio.settings.user import owner, user_id
from studio.workspace import Workspace
from tests.rigs.bundles import make_bundle
from tests.rigs.plan_approvers import allow, approver_key, second_person, set_author

Make = Callable[..., PlanEntry]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setattr(Plans, "_live", lambda self, names: {})  # no target is reached
    with Workspace.open(tmp_path / "home") as opened:
        for number in (1, 2, 3):
            opened.add_target(TargetSpec(f"cam-{number}", f"ssh://pi@192.0.2.{number}"))
        yield opened


@pytest.fixture
def make(workspace: Workspace, tmp_path: Path) -> Make:
    bundle = make_bundle(tmp_path / "bundles", 7)

    def made(*targets: str, **options: object) -> PlanEntry:
        given = {"bundle": str(bundle.folder), "target": list(targets), "needs_approval": True}
        return workspace.plans.make(PlanRequest("rollout", {**given, **options}))  # type: ignore[dict-item]

    return made


def test_the_plan_names_targets_by_wave_and_both_releases(make: Make) -> None:
    lines = "\n".join(make("cam-1", "cam-2", "cam-3").plan.lines)
    assert "Wave 1, 1 target" in lines
    assert "cam-1: nothing → version 7 of" in lines
    assert "Wave 2, 2 targets" in lines


def test_the_author_cannot_approve_it(make: Make, workspace: Workspace) -> None:
    made = make("cam-1")
    with pytest.raises(Refused, match="made this plan and cannot approve it"):
        workspace.plans.approve(made.digest)
    assert workspace.plans.one(made.digest).state == "waiting"


def test_an_approval_of_the_author_that_was_written_by_hand_does_not_count(
    make: Make, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make("cam-1")
    second_person(monkeypatch)
    workspace.plans.approve(made.digest)
    path = workspace.paths.data / "plans" / made.digest / "approval.json"
    uid = f'"uid": {user_id()}'
    path.write_text(path.read_text().replace(f'"uid": {user_id() + 1}', uid))
    assert uid in path.read_text()
    with pytest.raises(Refused, match="cannot approve it"):
        workspace.plans.start(made.digest)
    assert not [one for one in workspace.jobs if one.spec.step == "rollout" and one.running]


def test_another_user_approves_it_for_as_long_as_the_plan_holds(
    make: Make, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make("cam-1")
    second_person(monkeypatch)
    approval = workspace.plans.approve(made.digest)
    assert approval.by == "bob@desk"
    assert approval.expires == made.plan.expires


@pytest.mark.needs("ssh-keygen")
def test_a_signature_of_the_author_does_not_count_and_one_of_another_does(
    make: Make, workspace: Workspace, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the environment calls the author, and also under a second name for the key."""
    monkeypatch.setenv("LOGNAME", "ghost")
    other = approver_key(tmp_path, "other")
    line = other.with_suffix(".pub").read_text()
    allow(workspace.paths, key, "ann@desk", f"bob@desk {line}")
    set_author(workspace.paths, key)
    made = make("cam-1")
    with pytest.raises(Refused, match="ann@desk made this plan and cannot approve it"):
        workspace.plans.approve(made.digest, key)
    allow(workspace.paths, key, "ann@desk", f"eve@desk {key.with_suffix('.pub').read_text()}")
    with pytest.raises(Refused, match="made this plan and cannot approve it"):
        workspace.plans.approve(made.digest, key)
    allow(workspace.paths, key, "ann@desk", f"bob@desk {line}")
    assert workspace.plans.approve(made.digest, other).by == "bob@desk"


@pytest.mark.needs("ssh-keygen")
def test_where_approvers_are_named_a_plan_has_a_named_author(
    make: Make, workspace: Workspace, key: Path, tmp_path: Path
) -> None:
    unsigned = make("cam-2")
    allow(workspace.paths, key, "bob@desk")
    with pytest.raises(Refused, match="no signature of its author"):
        workspace.plans.approve(unsigned.digest, key)
    set_author(workspace.paths, approver_key(tmp_path, "stranger"))
    with pytest.raises(Refused, match="The author's key of the plan is not in"):
        make("cam-1")
    set_author(workspace.paths)
    made = make("cam-1")
    own = workspace.paths.config / "author"
    with pytest.raises(Refused, match="No approver"):  # this key makes plans only
        workspace.plans.approve(made.digest, own)
    (workspace.paths.config / "plan_key").unlink()
    with pytest.raises(Refused, match="no signature of its author"):
        make("cam-3")


def test_the_name_in_the_environment_makes_no_second_person(
    make: Make, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "ghost")
    made = make("cam-1")
    monkeypatch.delenv("LOGNAME")
    with pytest.raises(Refused, match="made this plan and cannot approve it"):
        workspace.plans.approve(made.digest)


@pytest.mark.parametrize(
    "change", [{"max_failures": 2}, {"strategy": "all"}, {"needs_approval": False}]
)
def test_a_changed_plan_has_another_digest_and_seal(make: Make, change: dict[str, object]) -> None:
    first, second = make("cam-1", "cam-2"), make("cam-1", "cam-2", **change)
    assert first.digest != second.digest
    assert first.plan.seal != second.plan.seal


def test_without_its_plan_the_rollout_does_not_start(workspace: Workspace, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "other", 1)
    given = {"bundle": str(bundle.folder), "target": ["cam-1"], "needs_approval": True}
    with pytest.raises(Refused, match="needs the approval of a second person"):
        workspace.start("rollout", **given)
    assert workspace.jobs == []


def test_a_dry_run_needs_no_approval(workspace: Workspace, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "other", 1)
    given = {"bundle": str(bundle.folder), "target": ["cam-1"], "needs_approval": True}
    assert workspace.run("rollout", **given, dry_run=True).ok


def test_a_rejected_plan_takes_no_approval(
    make: Make, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make("cam-1")
    second_person(monkeypatch)
    workspace.plans.approve(made.digest)
    workspace.plans.reject(made.digest)
    found = workspace.plans.one(made.digest)
    assert (found.state, found.by) == ("rejected", owner())
    for call in (workspace.plans.approve, workspace.plans.start, workspace.plans.reject):
        with pytest.raises(Refused, match="was rejected by"):
            call(made.digest)


def test_a_plan_that_was_carried_out_is_not_rejected(workspace: Workspace) -> None:
    request = PlanRequest("monitor-silence", {"target": "*", "minutes": 5})
    made = workspace.plans.make(request)
    workspace.plans.approve(made.digest)
    assert workspace.plans.run(made.digest).ok
    with pytest.raises(Refused, match="carried out already"):
        workspace.plans.reject(made.digest)
    assert workspace.plans.one(made.digest).state == "done"
