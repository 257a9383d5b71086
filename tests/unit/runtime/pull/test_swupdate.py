"""SWUpdate as the client: its configuration, how it is run, and what becomes of its artefact."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from studio.packages import Bundle
from studio.runtime.pull.settings import SWUPDATE, PullFolder, PullSettings
from studio.runtime.pull.swupdate import SwupdateFiles, configuration
from tests.rigs.pull.artifacts import artifact_of
from tests.rigs.pull.board import PullBoard
from tests.unit.runtime.pull.conftest import MakeBoard

pytestmark = pytest.mark.slow

SETTINGS = PullSettings("https://fleet.example.org", "DEFAULT", "board-1", client=SWUPDATE)
PROGRAM = """\
#!/bin/sh
echo "$@" >> "{log}"
exec sleep 600
"""


def test_the_configuration_has_the_server_the_secret_and_the_facts(tmp_path: Path) -> None:
    folder = PullFolder(tmp_path)
    folder.write(SETTINGS._replace(group='a"; } identify = ( "\\', ca=True), "s3cret", "PEM")
    text = configuration(folder, folder.load())
    assert 'url = "https://fleet.example.org";' in text
    assert 'targettoken = "s3cret";' in text
    assert f'cafile = "{folder.authority}";' in text
    assert '{ name = "sw_version"; value = "none"; }' in text
    assert 'value = "a\\"; } identify = ( \\"\\\\";' in text


def taken(board: PullBoard, artefact: Path) -> subprocess.CompletedProcess[str]:
    """The verb that SWUpdate's script calls."""
    words = [sys.executable, str(board.machine.runtime), "pull", "take", str(artefact)]
    environment = {**os.environ, "EDGEWRIGHT_SERVICE": "process"}
    return subprocess.run(
        [*words, "--root", str(board.root)], capture_output=True, text=True, env=environment
    )


def test_a_delivered_artefact_is_installed(
    make_board: MakeBoard, bundles: list[Bundle], tmp_path: Path
) -> None:
    board, artefact = make_board(client=SWUPDATE), tmp_path / "incoming.swu"
    artefact.write_bytes(artifact_of(bundles[0], tmp_path))
    done = taken(board, artefact)
    assert done.returncode == 0, done.stderr
    assert f"(release {bundles[0].digest[:12]})" in done.stdout
    assert board.current == bundles[0].digest
    assert SwupdateFiles(board.folder).taken.exists()
    assert not artefact.exists()


def test_an_artefact_that_is_refused_leaves_nothing(
    make_board: MakeBoard, bundles: list[Bundle], tmp_path: Path
) -> None:
    board, artefact = make_board(client=SWUPDATE, unsigned=False), tmp_path / "incoming.swu"
    artefact.write_bytes(artifact_of(bundles[0], tmp_path))
    done = taken(board, artefact)
    assert done.returncode == 1
    assert "no allowed signers" in done.stderr
    assert board.current == ""
    assert not SwupdateFiles(board.folder).taken.exists()
    assert not artefact.exists()


@pytest.mark.parametrize("content", [b"", b"\0" * 200, b"070702" + b"z" * 200])
def test_an_artefact_that_is_none_is_a_sentence(
    make_board: MakeBoard, tmp_path: Path, content: bytes
) -> None:
    board, artefact = make_board(client=SWUPDATE), tmp_path / "incoming.swu"
    artefact.write_bytes(content)
    done = taken(board, artefact)
    assert done.returncode == 1
    assert "no archive of the form .swu" in done.stderr


def test_swupdate_is_started_again_and_confirms_after_an_update(
    make_board: MakeBoard, tmp_path: Path
) -> None:
    board, log = make_board(client=SWUPDATE), tmp_path / "log"
    log.touch()
    program = tmp_path / "bin" / "swupdate"
    program.parent.mkdir()
    program.write_text(PROGRAM.format(log=log))
    program.chmod(0o755)
    files = SwupdateFiles(board.folder)
    path = f"{program.parent}:{os.environ['PATH']}"
    words = [sys.executable, str(board.machine.runtime), "pull", "run", "--root", str(board.root)]
    service = subprocess.Popen(words, env={**os.environ, "PATH": path})
    try:
        _until(lambda: len(_lines(log)) == 1)
        files.taken.write_text("{}")
        files.restart.touch()
        _until(lambda: len(_lines(log)) == 2)
    finally:
        service.terminate()
        status = service.wait(30)
    first, second = _lines(log)
    assert first.startswith(f"-f {files.configuration} -H default:default")
    assert first.endswith("-u -S hawkbit -c 0")
    assert second.endswith("-u -S hawkbit -c 2")
    assert not files.taken.exists()
    assert status == 0


def test_one_poll_of_swupdate_cannot_be_had(make_board: MakeBoard) -> None:
    board = make_board(client=SWUPDATE)
    words = [sys.executable, str(board.machine.runtime), "pull", "run", "--once"]
    done = subprocess.run([*words, "--root", str(board.root)], capture_output=True, text=True)
    assert done.returncode == 1
    assert "polls on its own" in done.stderr


def _lines(log: Path) -> list[str]:
    return log.read_text().splitlines()


def _until(done: object, seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    assert callable(done)
    while not done():
        assert time.monotonic() < until
        time.sleep(0.05)
