"""Plans: their digest, approvals that expire and count once, and what makes them void."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.api import Refused, TargetSpec, UsageError
from studio.plans import PlanEntry, PlanRequest, approvals
from studio.plans.plans import Plans
from studio.plans.record import ChangePlan
from studio.plans.store import MOST_PLANS, PlanStore
from studio.settings.user import owner
from studio.workspace import Workspace
from tests.rigs.plan_approvers import allow, set_author


class Clock:
    """A time that the test moves."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open(tmp_path / "home") as opened:
        yield opened


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def plans(workspace: Workspace, clock: Clock) -> Plans:
    return Plans(workspace.paths, workspace.registry, workspace._steps, clock)


def silence(plans: Plans, source: str = "command", **options: object) -> PlanEntry:
    """A plan of a step that changes something quickly."""
    given = {"target": "*", "minutes": 5, **options}
    return plans.make(PlanRequest("monitor-silence", given, source))  # type: ignore[arg-type]


def test_a_plan_waits_and_says_what_it_does(plans: Plans) -> None:
    made = silence(plans)
    assert made.state == "waiting"
    assert made.plan.author == owner()
    assert made.digest == made.plan.digest
    assert any("5" in line for line in made.plan.lines)


def test_the_digest_of_an_equal_plan_is_another(plans: Plans) -> None:
    assert silence(plans).digest != silence(plans).digest


def test_a_plan_survives_its_file(plans: Plans) -> None:
    made = silence(plans)
    assert ChangePlan.read(made.plan.text).digest == made.digest
    assert plans.one(made.digest[:10]) == made


def test_without_an_approval_nothing_starts(plans: Plans, workspace: Workspace) -> None:
    made = silence(plans)
    with pytest.raises(Refused, match="not approved"):
        plans.start(made.digest)
    assert workspace.jobs == []


def test_an_approval_counts_once(plans: Plans) -> None:
    made = silence(plans)
    plans.approve(made.digest)
    assert plans.one(made.digest).state == "approved"
    assert plans.run(made.digest).ok
    assert plans.one(made.digest).state == "done"
    with pytest.raises(Refused, match="carried out already"):
        plans.start(made.digest)
    with pytest.raises(Refused, match="carried out already"):
        plans.approve(made.digest)


_CARRIER = """
import sys, time
from pathlib import Path
from studio.plans.store import PlanStore

store = PlanStore(Path(sys.argv[1]))
store.use(sys.argv[2])
print("used", flush=True)
time.sleep(600)
"""


def test_a_plan_whose_program_is_killed_has_failed(plans: Plans, workspace: Workspace) -> None:
    digest = silence(plans).digest
    plans.approve(digest)
    (folder,) = workspace.paths.data.rglob(digest)
    words = [sys.executable, "-c", _CARRIER, str(folder.parent), digest]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as carrier:
        try:
            assert carrier.stdout is not None
            assert carrier.stdout.readline() == b"used\n"
            assert plans.one(digest).state == "running"
            with pytest.raises(Refused, match="was carried out already"):
                plans.start(digest)
        finally:
            carrier.kill()
    found = plans.one(digest)
    assert found.state == "failed"
    assert found.outcome.startswith("The program that carried it out was killed")


def test_a_plan_that_is_approved_again_in_the_moment_of_its_start_is_running(
    plans: Plans, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = silence(plans).digest
    plans.approve(digest)
    (folder,) = workspace.paths.data.rglob(digest)
    store, link = PlanStore(folder.parent), os.link

    def again(*names: Path) -> None:
        plans.approve(digest)
        link(*names)

    monkeypatch.setattr(os, "link", again)
    store.use(digest)
    assert plans.one(digest).state == "running"
    store.end(digest, "Done.", True, {})


def test_a_second_start_leaves_the_first_one_running(plans: Plans, workspace: Workspace) -> None:
    digest = silence(plans).digest
    plans.approve(digest)
    (folder,) = workspace.paths.data.rglob(digest)
    store = PlanStore(folder.parent)
    store.use(digest)
    (folder / "used.json").rename(folder / "approval.json")  # as it was a moment before
    with pytest.raises(Refused, match="was carried out already"):
        store.use(digest)
    (folder / "approval.json").rename(folder / "used.json")
    assert plans.one(digest).state == "running"
    store.end(digest, "Done.", True, {})


def test_a_plan_that_is_deleted_while_it_is_listed_has_failed(
    plans: Plans, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = silence(plans).digest
    plans.approve(digest)
    store = PlanStore(next(workspace.paths.data.rglob(digest)).parent)
    store.use(digest)
    read = store._read_approval

    def deleted(one: str, name: str) -> object:
        found = read(one, name)
        (workspace.paths.data / "plans" / one / "used.json").unlink(missing_ok=True)
        return found

    monkeypatch.setattr(store, "_read_approval", deleted)
    assert store.entry(digest, 0.0).state == "failed"
    store.end(digest, "", False, {})


def test_an_approval_expires(plans: Plans, clock: Clock) -> None:
    made = silence(plans)
    plans.approve(made.digest)
    clock.now += approvals.VALID_S
    with pytest.raises(Refused, match="expired"):
        plans.start(made.digest)
    assert plans.one(made.digest).state == "waiting"


def test_an_approval_can_be_taken_back(plans: Plans) -> None:
    made = silence(plans)
    plans.approve(made.digest)
    assert plans.revoke(made.digest)
    assert not plans.revoke(made.digest)
    with pytest.raises(Refused, match="not approved"):
        plans.start(made.digest)


def test_a_plan_expires(plans: Plans, clock: Clock) -> None:
    made = silence(plans)
    clock.now += 90_000
    assert plans.one(made.digest).state == "expired"
    with pytest.raises(Refused, match="expired"):
        plans.approve(made.digest)


def test_an_approval_of_another_plan_does_not_count(plans: Plans, workspace: Workspace) -> None:
    one, other = silence(plans), silence(plans)
    plans.approve(one.digest)
    folder = workspace.paths.data / "plans"
    text = (folder / one.digest / "approval.json").read_text()
    (folder / other.digest / "approval.json").write_text(text)
    with pytest.raises(Refused, match="another plan"):
        plans.start(other.digest)


def test_an_altered_plan_is_refused(plans: Plans, workspace: Workspace) -> None:
    made = silence(plans)
    plans.approve(made.digest)
    path = workspace.paths.data / "plans" / made.digest / "plan.json"
    document = json.loads(path.read_text())
    document["options"]["minutes"] = 500
    path.write_text(json.dumps(document))
    with pytest.raises(Refused, match="altered"):
        plans.start(made.digest)
    assert plans.all() == []


def test_another_host_key_of_the_target_voids_the_plan(
    plans: Plans, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Plans, "_live", lambda self, names: {})
    workspace.registry.add_target(TargetSpec("bench", "ssh://pi@192.0.2.7", "ssh-ed25519 AAAA"))
    made = plans.make(PlanRequest("undeploy", {"target": "bench"}))
    plans.approve(made.digest)
    workspace.registry.add_target(TargetSpec("bench", "ssh://pi@192.0.2.7", "ssh-ed25519 BBBB"))
    with pytest.raises(Refused, match="has changed since"):
        plans.start(made.digest)
    assert plans.one(made.digest).state == "approved"


def test_another_release_voids_the_plan(
    plans: Plans, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Plans, "_live", lambda self, names: {})
    workspace.registry.add_target(TargetSpec("bench", "ssh://pi@192.0.2.7"))
    made = plans.make(PlanRequest("undeploy", {"target": "bench"}))
    plans.approve(made.digest)
    workspace.registry.history.add("bench", None, "0" * 64, "serving", {})
    with pytest.raises(Refused, match="release of a target has changed"):
        plans.start(made.digest)


def test_a_change_between_check_and_start_is_refused(
    plans: Plans, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Plans, "_live", lambda self, names: {})
    workspace.registry.add_target(TargetSpec("bench", "ssh://pi@192.0.2.7"))
    made = plans.make(PlanRequest("undeploy", {"target": "bench"}))
    plans.approve(made.digest)
    check = Plans._require_unchanged

    def changed(self: Plans, plan: ChangePlan) -> None:
        check(self, plan)
        workspace.registry.add_target(TargetSpec("bench", "ssh://pi@192.0.2.8"))

    monkeypatch.setattr(Plans, "_require_unchanged", changed)
    with pytest.raises(Refused, match="has changed since"):
        plans.start(made.digest)
    assert workspace.jobs == []
    assert plans.one(made.digest).state == "failed"


def test_a_step_that_only_looks_needs_no_plan(plans: Plans) -> None:
    with pytest.raises(UsageError, match="changes nothing"):
        plans.make(PlanRequest("releases", {"target": "local"}))


@pytest.mark.parametrize("text", ["", "abc", "../" + "0" * 61, "0" * 63 + "G", "0" * 65])
def test_what_is_no_digest_becomes_no_file_name(plans: Plans, text: str) -> None:
    with pytest.raises(UsageError):
        plans.start(text)


def test_old_plans_make_room(plans: Plans, workspace: Workspace, clock: Clock) -> None:
    made = silence(plans)
    store = PlanStore(workspace.paths.data / "plans")
    kept = [
        store.add(ChangePlan.read(made.plan.text.replace(made.plan.nonce, f"{n:032x}")))
        for n in range(MOST_PLANS)
    ]
    assert len(plans.all()) <= MOST_PLANS
    assert kept[-1] in {one.digest for one in plans.all()}


@pytest.mark.needs("ssh-keygen")
def test_where_approvers_are_named_a_signature_counts(
    plans: Plans, workspace: Workspace, key: Path
) -> None:
    allow(workspace.paths, key, "ann@desk")
    made = silence(plans)
    with pytest.raises(Refused, match="Only a signature"):
        plans.approve(made.digest)
    assert plans.approve(made.digest, key).by == "ann@desk"
    assert plans.run(made.digest).ok
    assert plans.one(made.digest).by == "ann@desk"


@pytest.mark.needs("ssh-keygen")
def test_a_signature_of_another_key_or_for_a_longer_time_is_refused(
    plans: Plans, workspace: Workspace, key: Path, tmp_path: Path
) -> None:
    allow(workspace.paths, key, "ann@desk")
    made = silence(plans)
    plans.approve(made.digest, key)
    path = workspace.paths.data / "plans" / made.digest / "approval.json"
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "expires": document["expires"] + 60}))
    with pytest.raises(Refused, match="No approver"):
        plans.start(made.digest)
    path.write_text(json.dumps({**document, "signature": ""}))
    with pytest.raises(Refused, match="Only a signature"):
        plans.start(made.digest)


@pytest.mark.needs("ssh-keygen")
def test_who_made_a_plan_cannot_approve_it_with_a_key(
    plans: Plans, workspace: Workspace, key: Path
) -> None:
    allow(workspace.paths, key, "ann@desk")
    set_author(workspace.paths, key)
    made = silence(plans)
    with pytest.raises(Refused, match="made this plan"):
        plans.approve(made.digest, key)
    assert plans.approve(silence(plans, "agent").digest, key).by == "ann@desk"


def test_an_approval_before_named_approvers_no_longer_counts(
    plans: Plans, workspace: Workspace
) -> None:
    made = silence(plans)
    plans.approve(made.digest)
    workspace.paths.config.mkdir(parents=True, exist_ok=True)
    (workspace.paths.config / "plan_approvers").write_text("# nobody yet\n")
    with pytest.raises(Refused, match="Only a signature"):
        plans.start(made.digest)
