"""The commands for many boards: groups, status, kinds of boards, history, Debian packages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from studio.api import TargetSpec
from studio.cli.main import main
from studio.workspace import Workspace
from tests.rigs.bundles import make_bundle


@pytest.fixture(autouse=True)
def home(studio_home: Path) -> Path:
    with Workspace.open() as opened:
        for name in ("roof", "gate"):
            opened.add_target(TargetSpec(name, f"ssh://pi@{name}.invalid"))
        for target, state in (("roof", "serving"), ("gate", "failed")):
            details = {"name": "digits", "version": 3, "by": "ann@desk", "reason": "slow"}
            opened.registry.add_release(target, None, "a" * 64, state, details)
    return studio_home


def ok(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    capsys.readouterr()
    assert main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_groups(capsys: pytest.CaptureFixture[str]) -> None:
    assert ok(capsys, "target", "group") == []
    made = ok(capsys, "target", "group", "all", "roof", "gate")
    assert made == [{"group": "all", "targets": ["gate", "roof"]}]
    assert main(["target", "group", "all"]) == 2
    assert "Missing targets for the group" in capsys.readouterr().err
    assert ok(capsys, "target", "group", "all", "--delete") == []


@pytest.mark.slow
def test_the_status_of_a_group_has_a_row_for_each_also_for_what_is_silent(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ok(capsys, "target", "group", "all", "roof", "gate")
    rows = ok(capsys, "target", "status", "@all", "local")["targets"]
    found = {row["target"]: row for row in rows}
    assert found["local"]["state"] == "nothing deployed"
    for name in ("roof", "gate"):
        assert found[name]["state"] == "no answer"
        assert f"Unknown host {name}.invalid" in found[name]["text"]
    assert main(["target", "status", "@none"]) == 2
    assert "Unknown group 'none'" in capsys.readouterr().err


def test_kinds_of_boards(capsys: pytest.CaptureFixture[str]) -> None:
    kinds = {one["id"]: one for one in ok(capsys, "target", "boards")}
    assert kinds["jetson-xavier-nx"]["images"][0]["onnxruntime"] == "1.19.2"
    assert main(["target", "boards"]) == 0
    assert "Raspberry Pi 5" in capsys.readouterr().out


def test_what_ran_where_and_who_changed_it(capsys: pytest.CaptureFixture[str]) -> None:
    rows = ok(capsys, "releases", "--everywhere")
    assert [(row["target"], row["state"], row["by"]) for row in rows] == [
        ("gate", "failed", "ann@desk"),
        ("roof", "serving", "ann@desk"),
    ]
    assert len(ok(capsys, "releases", "--everywhere", "--target", "roof")) == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--board", "toaster"), "Unknown board type 'toaster'"),
        (("--board", "coral-dev-board"), "its Python is too old"),
        (("--board", "generic-armv7l"), "onnxruntime has no wheels"),
        (("--board", "raspberry-pi-5", "--system", "BeOS"), "Unknown system 'BeOS'"),
    ],
)
def test_debian_packages_that_cannot_be_made(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    bundle = make_bundle(tmp_path, 1)
    assert main(["package", str(bundle.folder), "--deb", str(tmp_path / "a.deb"), *words]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "a.deb").exists()


def test_a_debian_package_of_a_bundle(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path, 1)
    told = ok(capsys, "package", str(bundle.folder), "--deb", str(tmp_path))
    assert told["digest"] == bundle.digest
    assert Path(told["deb"]).name == f"edgewright-cnn_1+{bundle.digest[:8]}_all.deb"
    assert Path(told["deb"]).read_bytes().startswith(b"!<arch>\n")
