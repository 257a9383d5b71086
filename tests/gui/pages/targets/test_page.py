"""The Targets page: adding, probing, confirming, forgetting."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.api import TargetSpec
from studio.api.discovery import Candidate
from studio.deployment.results import FindProblem, FindResult
from studio.gui.pages.targets.page import TargetsPage
from studio.jobs import End
from studio.workspace import JobOutcome
from tests.gui.page_rig import Rig, opened, texts, visible_texts


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        yield made


def test_empty_form_complains_in_place(rig: Rig) -> None:
    page = rig.page(TargetsPage)
    page.add()
    shown = visible_texts(page)
    assert "Enter a value for Name." in shown
    assert "Enter a value for Address." in shown
    assert [target.name for target in rig.registry.targets()] == ["local"]


def test_added_target_is_kept_and_probed(rig: Rig, tmp_path: Path) -> None:
    key = tmp_path / "id_ed25519"
    key.write_text("key")
    page = rig.page(TargetsPage)
    values = {"name": "pi", "url": "ssh://pi@10.0.0.8:22", "key_file": str(key)}
    page.form.set_values(values)
    page.add()
    spec = rig.registry.target("pi")
    assert spec.url == "ssh://pi@10.0.0.8:22"
    assert spec.settings == {"key_file": str(key)}
    (job,) = rig.shell.jobs
    assert (job.step, job.options) == ("target-probe", {"target": "pi"})
    assert [field.editor.value() for field in page.form.fields.values()] == [None] * 4
    assert "Enter a value" not in visible_texts(page)
    rig.registry.set_facts("pi", {"arch": "aarch64", "memory_mb": 7900, "python": "3.11.2"})
    rig.finish(page, JobOutcome(End.SUCCEEDED))
    row = texts(page.table)[1]
    assert row == ["pi", "ssh://pi@10.0.0.8:22", "aarch64", "7.9 GB", "—", "reachable"]
    assert "3.11.2" in visible_texts(page)


def test_unknown_key_is_confirmed_here_too(rig: Rig) -> None:
    rig.workspace.add_target(TargetSpec("pi", "ssh://pi@10.0.0.8"))
    page = rig.page(TargetsPage)
    page.probe("pi")
    fields = {"key": "ssh-ed25519 AAAA", "fingerprint": "SHA256:abc"}
    rig.finish(page, JobOutcome(End.FAILED, message="No.", error="UnknownHost", fields=fields))
    assert texts(page.table)[1][-1] == "key not confirmed"
    page.contact.compared.setChecked(True)
    page.contact.trust.click()
    assert rig.registry.target("pi").host_key == "ssh-ed25519 AAAA"
    assert len(rig.shell.jobs) == 2


def test_no_answer_is_a_state(rig: Rig) -> None:
    rig.workspace.add_target(TargetSpec("pi", "ssh://pi@10.0.0.8"))
    page = rig.page(TargetsPage)
    page.probe("pi")
    rig.finish(page, JobOutcome(End.FAILED, message="It does not answer.", error="TargetError"))
    assert texts(page.table)[1][-1] == "unreachable"


def test_removal_asks_in_place(rig: Rig) -> None:
    rig.workspace.add_target(TargetSpec("pi", "ssh://pi@10.0.0.8"))
    page = rig.page(TargetsPage)
    assert page.remove_button.toolTip() == "This computer is always a target."
    page.table.selectRow(1)
    page.remove_button.click()
    assert [target.name for target in rig.registry.targets()] == ["local", "pi"]
    page.confirm_removal.click()
    assert [target.name for target in rig.registry.targets()] == ["local"]
    assert rig.shell.said == ["pi removed."]


def test_boards_are_found_and_one_is_taken_into_the_form(rig: Rig) -> None:
    page = rig.page(TargetsPage)
    page.finding.subnet.setText("10.0.0.0/28")
    page.finding.find_button.click()
    (job,) = rig.shell.jobs
    assert (job.step, job.options) == ("target-find", {"subnet": "10.0.0.0/28"})
    board = Candidate(
        "roof",
        "ssh://pi@10.0.0.7",
        "config",
        {"key_file": "", "jump": "gate", "certificate_file": "/c"},
        "in ~/.ssh/config, through gate",
    )
    problem = FindProblem("mdns", "Announcements cannot be heard.", "Install zeroconf.")
    result = FindResult((board,), (problem,))
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=result))
    assert "Install zeroconf." in page.finding.text.text()
    page.finding._choose(page.finding.found[0])
    assert page.form.values()["url"] == "ssh://pi@10.0.0.7"
    page.add()
    kept = rig.registry.target("roof").settings
    assert (kept["jump"], kept["certificate_file"]) == ("gate", "/c")
