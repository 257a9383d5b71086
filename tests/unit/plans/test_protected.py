"""Targets labelled ``approval=required``: a plan that a second person approved changes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.api import Refused, TargetSpec, UsageError
from studio.plans import ChangePlan, PlanRequest
from studio.plans.plans import Plans
from studio.steps.approval import NeedsApproval, ProtectedTargets
from studio.steps.catalogue import steps
from studio.workspace import Workspace
from tests.rigs.bundles import make_bundle
from tests.rigs.plan_approvers import second_person


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setattr(Plans, "_live", lambda self, names: {})  # no target is reached
    with Workspace.open(tmp_path / "home") as opened:
        for number in (1, 2, 3, 4, 5):
            opened.add_target(TargetSpec(f"cam-{number}", f"ssh://pi@192.0.2.{number}"))
        opened.registry.labels.change("cam-1", {"approval": "required", "site": "berlin"})
        opened.registry.labels.change("cam-2", {"site": "required"})
        yield opened


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    return str(make_bundle(tmp_path / "bundles", 7).folder)


def rollout(workspace: Workspace, bundle: str, *targets: str) -> Plans:
    """Start a rollout, which must not begin."""
    workspace.start("rollout", bundle=bundle, target=list(targets))
    return workspace.plans


@pytest.mark.parametrize(
    ("step", "more"),
    [("deploy", True), ("undeploy", False), ("promote", False)],
)
def test_a_step_that_changes_the_release_does_not_start(
    workspace: Workspace, bundle: str, step: str, more: bool
) -> None:
    given = {"target": "cam-1", **({"bundle": bundle} if more else {})}
    with pytest.raises(NeedsApproval, match=r"Only an approved plan changes cam-1 \(label"):
        workspace.start(step, **given)
    assert workspace.jobs == []


@pytest.mark.parametrize("chosen", [["cam-2", "cam-1"], ["@site=berlin"]])
def test_nor_does_a_rollout_with_one_among_its_targets(
    workspace: Workspace, bundle: str, chosen: list[str]
) -> None:
    with pytest.raises(NeedsApproval, match="changes cam-1 "):
        rollout(workspace, bundle, *chosen)


def test_a_second_name_for_its_address_is_protected(workspace: Workspace, bundle: str) -> None:
    workspace.add_target(TargetSpec("other", "ssh://pi@192.0.2.1", settings={"root": "/srv/other"}))
    with pytest.raises(NeedsApproval, match="changes other "):
        workspace.start("deploy", bundle=bundle, target="other")


@pytest.mark.parametrize(
    ("url", "is_protected"),
    [
        ("ssh://pi@cam.example", True),
        ("ssh://pi@cam.example:22", True),
        ("ssh://pi@CAM.example/", True),
        ("ssh://pi@cam.example:2222", False),
        ("ssh://root@cam.example", True),
        ("ssh://pi@[::1", False),
        ("ssh://pi@cam.example:x", False),
        ("docker:cam.example", False),
    ],
)
def test_an_address_is_compared_in_one_spelling(
    workspace: Workspace, url: str, is_protected: bool
) -> None:
    workspace.registry.add_target(TargetSpec("cam", "ssh://pi@Cam.example:22"))
    workspace.registry.labels.change("cam", {"approval": "required"})
    protected = ProtectedTargets(workspace.registry.labels)
    assert (TargetSpec("other", url) in protected) is is_protected


@pytest.mark.parametrize("host", ["192.0.513", "0300.0.2.1", "3221225985", "0xc0.0.2.1"])
def test_another_spelling_of_its_number_is_protected(workspace: Workspace, host: str) -> None:
    assert TargetSpec("other", f"ssh://root@{host}") in ProtectedTargets(workspace.registry.labels)


def test_another_name_with_its_host_key_is_protected(workspace: Workspace) -> None:
    """As recorded when it was connected to, or confirmed."""
    workspace.registry.set_facts("cam-1", {"identity": ["ssh-ed25519 AAAA", "192.0.2.1 22"]})
    workspace.add_target(TargetSpec("other", "ssh://pi@alias", host_key="ssh-ed25519 AAAA"))
    with pytest.raises(NeedsApproval, match="changes other "):
        workspace.start("undeploy", target="other")


def test_many_are_named_in_part(workspace: Workspace, bundle: str) -> None:
    for number in (2, 3, 4, 5):
        workspace.registry.labels.change(f"cam-{number}", {"approval": "required"})
    with pytest.raises(NeedsApproval, match=r"changes cam-1, cam-2, cam-3 and 2 more \("):
        rollout(workspace, bundle, *(f"cam-{number}" for number in range(1, 6)))


def test_others_need_none(workspace: Workspace, bundle: str) -> None:
    for given in ({"dry_run": True, "target": "cam-1"}, {"target": "cam-2"}):
        job = workspace.start("deploy", bundle=bundle, **given)
        job.cancel()
        job.wait()


def test_what_must_be_possible_at_once_needs_none() -> None:
    found = {name for name, step in steps().items() if step.awaits_approval}
    changing = {"deploy", "undeploy", "promote", "rollout", "target-pull", "registry-deploy"}
    assert found == {*changing, "trust"}  # who signs decides what a board runs
    assert not found & {"rollback", "stop", "restart", "start"}


def test_its_author_cannot_approve_the_plan_and_another_can(
    workspace: Workspace, bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workspace.plans.make(PlanRequest("undeploy", {"target": "cam-1"}))
    with pytest.raises(Refused, match="cannot approve it"):
        workspace.plans.approve(made.digest)
    second_person(monkeypatch)
    workspace.plans.approve(made.digest)
    job = workspace.plans.start(made.digest)
    job.cancel()
    assert job.wait() is not None
    assert [one.spec.step for one in workspace.jobs][-1] == "undeploy"


def test_a_plan_that_is_made_once_more_is_the_one_that_waits(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = PlanRequest("undeploy", {"target": "cam-1"})
    first = workspace.plans.make(order).digest
    assert workspace.plans.make(order).digest == first
    other = PlanRequest("undeploy", {"target": "cam-1", "purge": True})
    assert workspace.plans.make(other).digest != first
    with monkeypatch.context() as patch:
        second_person(patch)
        workspace.plans.approve(first)
    assert workspace.plans.make(order).digest == first
    workspace.plans.reject(first)
    assert workspace.plans.make(order).digest != first


def test_a_plan_that_was_made_before_the_label_is_void(workspace: Workspace) -> None:
    made = workspace.plans.make(PlanRequest("undeploy", {"target": "cam-2"}))
    assert not made.plan.needs_second
    workspace.plans.approve(made.digest)
    workspace.registry.labels.change("cam-2", {"approval": "required"})
    with pytest.raises(Refused, match="needs an approval of a second person since the plan"):
        workspace.plans.start(made.digest)


def test_a_plan_that_needs_no_second_person_has_the_text_that_it_had_before(
    workspace: Workspace,
) -> None:
    made = workspace.plans.make(PlanRequest("undeploy", {"target": "cam-2"}))
    assert "is_protected" not in made.plan.text
    assert ChangePlan.read(made.plan.text) == made.plan


def test_the_label_has_one_value(workspace: Workspace) -> None:
    with pytest.raises(UsageError, match="The label approval cannot be maybe"):
        workspace.registry.labels.change("cam-1", {"approval": "maybe"})
    workspace.registry.labels.change("cam-1", {"approval": ""})
    assert workspace.registry.labels.having("approval", "required") == {}
