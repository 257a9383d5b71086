"""The service: how long it waits, and that only one works on a board."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from studio.runtime.pull import unit
from studio.runtime.pull.errors import PullError
from studio.runtime.pull.service import single, wait_s
from studio.runtime.pull.settings import PullFolder, PullSettings, checked
from tests.rigs.pull.board import NAME
from tests.rigs.pull.ddi_server import DdiServer
from tests.unit.runtime.pull.conftest import MakeBoard

USABLE = PullSettings("https://fleet.example.org", "DEFAULT", "board-1")


@pytest.mark.parametrize(
    ("wanted", "failures", "after", "low", "high"),
    [
        (300.0, 0, 0.0, 240.0, 360.0),
        (0.0, 0, 0.0, 240.0, 360.0),
        (1.0, 0, 0.0, 4.0, 6.0),
        (1e9, 0, 0.0, 69120.0, 86400.0),
        (300.0, 1, 0.0, 8.0, 12.0),
        (300.0, 50, 0.0, 2880.0, 4320.0),
        (300.0, 1, 600.0, 600.0, 720.0),
    ],
)
def test_polls_are_spread_and_bounded(
    wanted: float, failures: int, after: float, low: float, high: float
) -> None:
    assert wait_s(wanted, failures, after, 0.0) == pytest.approx(low)
    assert wait_s(wanted, failures, after, 1.0) == pytest.approx(high)


def test_two_clients_do_not_work_on_one_board(make_board: MakeBoard) -> None:
    board = make_board()
    with (
        single(board.root),
        pytest.raises(PullError, match="Another pull client"),
        single(board.root),
    ):
        pass


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"server": "http://fleet.example.org"}, "over https"),
        ({"server": "ftp://fleet.example.org", "plain": True}, "over https"),
        ({"server": "https://ann:pw@fleet.example.org"}, "no address"),
        ({"server": "https://fleet.example.org/?a=b"}, "no address"),
        ({"server": ""}, "no address"),
        ({"tenant": "../other"}, "tenant"),
        ({"id": "a/b"}, "name of the board"),
        ({"id": ""}, "name of the board"),
        ({"token_kind": "Basic"}, "kind of token"),
        ({"most_bytes": 0}, "largest artefact"),
        ({"poll_s": -1.0}, "at least once a day"),
        ({"port": 0}, "does not exist"),
    ],
)
def test_settings_that_cannot_be_used(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(PullError, match=sentence):
        checked(USABLE._replace(**change))  # type: ignore[arg-type]


def test_the_secret_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    folder = PullFolder(tmp_path)
    folder.write(USABLE, "s3cret")
    assert folder.token.stat().st_mode & 0o777 == 0o600
    assert folder.folder.stat().st_mode & 0o777 == 0o700
    assert folder.secret() == "s3cret"
    assert "s3cret" not in folder.settings.read_text()
    folder.token.chmod(0o640)
    with pytest.raises(PullError, match="must be 600"):
        folder.secret()


def test_a_token_that_no_header_can_carry_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PullError, match="odd characters"):
        PullFolder(tmp_path).write(USABLE, "a\r\nHost: other")


def test_the_verbs_of_the_application(make_board: MakeBoard, server: DdiServer) -> None:
    board = make_board()
    wanted = {**board.settings._asdict(), "token": "s3cret", "start": False}
    verb = [sys.executable, str(board.machine.runtime), "pull"]
    root = ["--root", str(board.root)]
    environment = {**os.environ, "EDGEWRIGHT_SERVICE": "process"}

    def run(*words: str, content: str = "") -> dict[str, object]:
        done = subprocess.run(
            [*verb, *words, *root], input=content, capture_output=True, text=True, env=environment
        )
        found: dict[str, object] = json.loads(done.stdout.splitlines()[-1]) if done.stdout else {}
        assert done.returncode == (1 if found.get("event") == "error" else 0), done.stderr
        return found

    assert run("install", content=json.dumps(wanted))["id"] == NAME
    assert run("install", content="{}")["event"] == "error"
    run("run", "--once")
    assert NAME in server.facts
    shown = run("status")
    assert shown["has_token"] is True
    assert "s3cret" not in json.dumps(shown)
    assert run("remove")["removed"] is True
    assert run("status")["event"] == "error"
    assert not board.folder.folder.exists()


def test_the_unit_runs_the_copy_that_no_cleanup_removes() -> None:
    folder = PullFolder(Path("/srv/100% ours/$x"))
    text = unit.render(folder, system=True)
    assert '/srv/100%% ours/$$x/pull/edgewright.pyz" "pull" "run"' in text
    assert "WantedBy=multi-user.target" in text
    assert "WantedBy=default.target" in unit.render(folder, system=False)
    with pytest.raises(PullError):
        unit.render(PullFolder(Path("/srv/a\nExecStart=/bin/sh")), system=True)
