"""A dry run says beforehand what a deploy refuses, in the same words, and what helps."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.api import TargetFacts, TargetSpec, UsageError
from studio.deployment import admission
from studio.deployment.admission import Request, downgrade_of
from studio.packages import Bundle
from studio.targets.inventory import parse
from studio.workspace import Workspace
from tests.rigs.bundles import make_bundle
from tests.unit.runtime.release.intake.test_signature import line_of, make_key

FACTS = TargetFacts(name="roof", url="ssh://pi@roof", arch="aarch64", root="/home/pi/.edgewright")


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[Bundle]:
    """Versions 4 and 5."""
    folder = tmp_path_factory.mktemp("bundles")
    return [make_bundle(folder / str(version), version, samples=1) for version in (4, 5)]


@pytest.fixture
def workspace(studio_home: Path, tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open() as opened:
        opened.add_target(TargetSpec("roof", "local:", "", {"root": str(tmp_path / "root")}))
        yield opened
        opened.run("undeploy", target="roof", purge=True)


def deploy(workspace: Workspace, bundle: Bundle, **options: Any) -> Any:
    asked = {"model": str(bundle.folder), "target": "roof", "soak_s": 0, **options}
    return workspace.run("deploy", **asked)


def refused(workspace: Workspace, bundle: Bundle, check: str, **options: Any) -> str:
    """What a dry run says is in the way, and a deploy refuses: the same."""
    plan = deploy(workspace, bundle, dry_run=True, **options)
    assert plan.ok, plan.sentence
    assert plan.document["possible"] is False
    blocked = [row for row in plan.document["steps"] if row["state"] == "blocked"]
    assert [row["name"] for row in blocked] == [check]
    done = deploy(workspace, bundle, **options)
    assert not done.ok
    text = str(blocked[0]["text"])
    assert text.startswith(done.sentence), f"{text!r} is not {done.sentence!r}"
    return text


@pytest.mark.slow
@pytest.mark.needs("ssh-keygen")
def test_what_a_deploy_refuses_is_in_the_plan(
    workspace: Workspace, bundles: list[Bundle], tmp_path: Path
) -> None:
    four, five = bundles
    assert deploy(workspace, five).ok
    text = refused(workspace, four, "counter")
    assert f'studio deploy {four.folder} --target roof --downgrade "REASON"' in text

    ann, eve = make_key(tmp_path / "ann"), make_key(tmp_path / "eve")
    (tmp_path / "allowed").write_text(line_of(ann))
    assert workspace.run("trust", target="roof", signers=str(tmp_path / "allowed")).ok
    said = {"downgrade": "5 misreads the night shift"}
    assert "--sign KEY" in refused(workspace, five, "signature")
    refused(workspace, five, "signature", sign=str(eve))
    refused(workspace, four, "counter", sign=str(ann))

    lease = tmp_path / "root" / "operator.json"
    claim = {"owner": "bob@den", "token": "0" * 32, "expires": time.time() + 200}
    lease.write_text(json.dumps(claim))
    assert "bob@den is deploying to roof" in refused(
        workspace, four, "operator", sign=str(ann), **said
    )
    lease.unlink()

    plan = deploy(workspace, four, sign=str(ann), dry_run=True, **said)
    assert plan.document["possible"] is True
    done = deploy(workspace, four, sign=str(ann), **said)
    assert done.ok, done.sentence
    rows = workspace.run("releases", target="roof").document["releases"]
    assert rows[0]["reason"] == "downgrade: 5 misreads the night shift"
    assert workspace.registry.releases("roof")[0].details["reason"] == said["downgrade"]
    back = workspace.run("rollback", target="roof")
    assert back.ok, back.sentence
    assert (back.document["from"], back.document["to"]) == (4, 5)


@pytest.mark.slow
def test_a_purge_ends_the_line_also_where_nothing_is_left(
    workspace: Workspace, bundles: list[Bundle]
) -> None:
    four, five = bundles
    assert deploy(workspace, five).ok
    assert workspace.run("undeploy", target="roof").ok
    assert not deploy(workspace, four).ok
    assert workspace.run("undeploy", target="roof", purge=True).ok
    assert deploy(workspace, four, dry_run=True).document["possible"] is True
    assert deploy(workspace, four).ok


@pytest.mark.slow
@pytest.mark.needs("ssh-keygen")
def test_a_rollout_signs_once_and_goes_back_with_a_reason(
    workspace: Workspace, bundles: list[Bundle], tmp_path: Path
) -> None:
    four, five = bundles
    key = make_key(tmp_path / "ann")
    (tmp_path / "allowed").write_text(line_of(key))
    assert workspace.run("trust", target="roof", signers=str(tmp_path / "allowed")).ok
    asked = {"target": ["roof"], "requests": 2, "soak_s": 0}
    unsigned = workspace.run("rollout", model=str(five.folder), **asked)
    assert "requires signed releases" in unsigned.document["targets"][0]["text"]
    done = workspace.run("rollout", model=str(five.folder), sign=str(key), **asked)
    assert done.ok, done.sentence
    assert done.document["state"] == "done"
    assert not list(five.folder.glob("*.sig")), "the bundle of somebody else is not written to"
    older = {**asked, "sign": str(key)}
    refusal = workspace.run("rollout", model=str(four.folder), **older)
    assert "--downgrade" in refusal.document["targets"][0]["text"]
    back = workspace.run("rollout", model=str(four.folder), downgrade="5 is wrong", **older)
    assert back.document["state"] == "done", back.result


def test_a_reason_says_something() -> None:
    assert downgrade_of(None) == ""
    assert downgrade_of(" too  slow\n") == "too slow"
    for text in ("", "  ", "x" * 501):
        with pytest.raises(UsageError):
            downgrade_of(text)


def test_a_folder_that_cannot_be_written_to() -> None:
    found = parse("readonly=/mnt/card\nstate\n")
    said = {check.name: check for check in admission.checks(FACTS, found, BUNDLE, Request())}
    assert not said["folder"].ok
    assert said["folder"].text == "/mnt/card is not writable on roof."
    found = parse("readonly=/mnt/card\nwhy=Read-only file system\nstate\n")
    said = {check.name: check for check in admission.checks(FACTS, found, BUNDLE, Request())}
    assert said["folder"].text.endswith("on roof: Read-only file system.")


def test_ones_own_claim_and_one_that_has_ended_are_in_nobodys_way() -> None:
    for owner, left, free in (("bob", 100, False), ("ann", 100, True), ("bob", -1, True)):
        lease = {"owner": owner, "expires": time.time() + left}
        found = parse(f"lease={json.dumps(lease)}\nstate\n")
        said = {c.name: c for c in admission.checks(FACTS, found, BUNDLE, Request(owner="ann"))}
        assert said["operator"].ok is free


def test_a_target_that_cannot_check_signatures() -> None:
    line = "ann@desk ssh-ed25519 AAAA"
    found = parse(f"signers=/etc/x\nsigner={line}\nstate\n")
    assert not found.checks_signatures
    signed = BUNDLE_SIGNED
    said = {c.name: c for c in admission.checks(FACTS, found, signed, Request())}
    assert "has no ssh-keygen" in said["signature"].text
    assert parse(f"signers=/etc/x\nsigner={line}\nkeygen=yes\nstate\n").checks_signatures


BUNDLE = Bundle(Path("bundle"), "b" * 64, "cnn", 4, 4, (), "{}\n", {}, "")
BUNDLE_SIGNED = Bundle(Path("bundle"), "b" * 64, "cnn", 4, 4, (), "{}\n", {}, "signature")
