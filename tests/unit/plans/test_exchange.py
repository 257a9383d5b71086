"""Plans that an approver signs at another computer, with files in between."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from studio.api import InvalidData, Refused
from studio.plans import PlanEntry, PlanRequest
from studio.plans.approvals import signed
from studio.plans.exchange import read_approval, read_plan, write_approval, write_plan
from studio.plans.plans import Plans
from studio.workspace import Workspace
from tests.rigs.plan_approvers import allow, approver_key, set_author

pytestmark = pytest.mark.needs("ssh-keygen")


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setattr(Plans, "_live", lambda self, names: {})
    with Workspace.open(tmp_path / "home") as opened:
        set_author(opened.paths)
        yield opened


@pytest.fixture
def entry(workspace: Workspace) -> PlanEntry:
    return workspace.plans.make(PlanRequest("undeploy", {"target": "local"}))


@pytest.fixture
def travel(entry: PlanEntry, key: Path, tmp_path: Path) -> Callable[[], Path]:
    """Write the plan, sign it as the other computer does, and return the file of the approval."""

    def run() -> Path:
        there, back = tmp_path / "a.plan", tmp_path / "a.plan.signed"
        write_plan(there, entry.plan)
        plan = read_plan(there)
        write_approval(back, signed(plan.digest, plan, key, plan.made + 1))
        return back

    return run


def test_the_digest_is_that_of_the_file(entry: PlanEntry, tmp_path: Path) -> None:
    write_plan(tmp_path / "a.plan", entry.plan)
    assert hashlib.sha256((tmp_path / "a.plan").read_bytes()).hexdigest() == entry.digest
    assert read_plan(tmp_path / "a.plan") == entry.plan


def test_an_approval_comes_back_and_starts_the_plan(
    workspace: Workspace, entry: PlanEntry, key: Path, travel: Callable[[], Path]
) -> None:
    allow(workspace.paths, key, "bob@desk")
    found = workspace.plans.receive(entry.digest, read_approval(travel()))
    assert found.by == "bob@desk"
    assert workspace.plans.one(entry.digest).state == "approved"
    job = workspace.plans.start(entry.digest)
    job.cancel()
    job.wait()
    with pytest.raises(Refused, match="carried out already"):
        workspace.plans.receive(entry.digest, read_approval(travel()))


def test_without_named_approvers_no_signature_counts(
    workspace: Workspace, entry: PlanEntry, travel: Callable[[], Path]
) -> None:
    with pytest.raises(Refused, match="The file of approvers is missing"):
        workspace.plans.receive(entry.digest, read_approval(travel()))


@pytest.mark.parametrize("name", ["eve@desk", None])
def test_a_key_of_another_does_not_count(
    workspace: Workspace,
    entry: PlanEntry,
    key: Path,
    travel: Callable[[], Path],
    tmp_path: Path,
    name: str | None,
) -> None:
    other = approver_key(tmp_path, "other")
    # Either only another key is allowed, or the approver has the name of the plan's author.
    allow(workspace.paths, other if name else key, name or "author@desk")
    with pytest.raises(Refused, match=r"has signed this plan|cannot approve it"):
        workspace.plans.receive(entry.digest, read_approval(travel()))
    assert workspace.plans.one(entry.digest).state == "waiting"


@pytest.mark.parametrize("change", ["another plan", "a later end", "another digest"])
def test_an_altered_approval_does_not_count(
    workspace: Workspace, entry: PlanEntry, key: Path, travel: Callable[[], Path], change: str
) -> None:
    allow(workspace.paths, key, "bob@desk")
    found, digest = read_approval(travel()), entry.digest
    if change == "another plan":
        digest = workspace.plans.make(PlanRequest("undeploy", {"target": "local"})).digest
    if change == "a later end":
        found = replace(found, expires=found.expires + 3600)
    if change == "another digest":
        digest = workspace.plans.make(PlanRequest("undeploy", {"target": "local"})).digest
        found = replace(found, digest=digest)
    with pytest.raises(Refused, match=r"of another plan|has signed this plan"):
        workspace.plans.receive(digest, found)
    assert workspace.plans.one(digest).state == "waiting"


def test_an_altered_plan_is_another_plan(
    workspace: Workspace, entry: PlanEntry, key: Path, tmp_path: Path
) -> None:
    allow(workspace.paths, key, "bob@desk")
    document = json.loads(entry.plan.text)
    document["lines"] = ["Nothing of importance"]
    (tmp_path / "b.plan").write_text(json.dumps(document))
    plan = read_plan(tmp_path / "b.plan")
    assert plan.digest != entry.digest
    with pytest.raises(Refused, match="of another plan"):
        workspace.plans.receive(entry.digest, signed(plan.digest, plan, key, plan.made + 1))


def test_an_expired_plan_is_not_signed(entry: PlanEntry, key: Path) -> None:
    with pytest.raises(Refused, match="has expired"):
        signed(entry.digest, entry.plan, key, entry.plan.expires)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"step": 1}',
        b"{" + b" " * (17 << 20),
    ],
)
@pytest.mark.parametrize("read", [read_plan, read_approval])
def test_other_files_are_one_sentence(
    read: Callable[[Path], object], content: bytes, tmp_path: Path
) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(InvalidData, match=r"is not the file of|is too large"):
        read(tmp_path / "x")


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe"])
def test_what_is_no_file_is_one_sentence(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    if kind == "folder":
        path.mkdir()
    if kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(InvalidData, match="does not exist, or is no file"):
        read_plan(path)
