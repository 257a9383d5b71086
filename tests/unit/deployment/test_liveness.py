"""Whether something serves: by the process itself, whatever the file says that a crash has left."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.api import TargetSpec
from studio.deployment.liveness import Liveness, ServerAddress, liveness, server_info, url_of
from studio.runtime.shared.process_identity import started
from studio.targets.connect import open_channel
from tests.rigs.bundles import QuietJob

HERE = TargetSpec("local", "local:")
ADDRESS = {"host": "127.0.0.1", "port": 8477, "scheme": "http"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    (tmp_path / "releases" / "r").mkdir(parents=True)
    (tmp_path / "current").symlink_to("releases/r")
    return tmp_path


@pytest.fixture
def strange(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process whose name looks like the columns behind it."""
    program = tmp_path / "a) R (b 1"
    shutil.copy(shutil.which("sleep") or "", program)
    with subprocess.Popen([program, "600"]) as process:
        yield process
        process.kill()


def asked(root: Path, **report: Any) -> Liveness:
    """What is said of a root, where a server has written this."""
    if report:
        (root / "run" / "server.json").write_text(json.dumps({**ADDRESS, **report}))
    return liveness(HERE, server_info(open_channel(HERE, QuietJob(root / "job")), str(root)))


def test_a_server_that_lives_serves(root: Path) -> None:
    own = {"pid": os.getpid(), "process": started(os.getpid())}
    found = asked(root, **own, state="ready")
    assert found == Liveness("serving", "http://127.0.0.1:8477", "http", "")
    assert asked(root, **own, state="starting").state == "starting"
    assert asked(root, **own, state="stopped").state == "stopped"
    assert asked(root, **own, state="failed", worker=0, error="no").state == "starting"
    left = asked(root, **own, state="failed", worker=7, error="It does not load.")
    assert (left.state, left.text) == ("serving", "It does not load."), "the one before serves on"


def test_a_process_of_the_same_number_does_not(
    root: Path, strange: subprocess.Popen[bytes]
) -> None:
    boot, _, moment = started(strange.pid).partition(":")
    for other in (f"{boot}:{int(moment) - 1}", f"another-boot:{moment}"):
        found = asked(root, pid=strange.pid, process=other, state="ready")
        assert found.state == "stopped"
        assert "studio start --target local" in found.text
        assert found.endpoint == "http://127.0.0.1:8477", "where it will answer again"
    assert (
        asked(root, pid=strange.pid, process=f"{boot}:{moment}", state="ready").state == "serving"
    )


def test_one_of_an_earlier_studio_is_known_by_its_number(root: Path) -> None:
    assert asked(root, pid=os.getpid(), state="ready").state == "serving"
    ended = subprocess.Popen(["true"])
    ended.wait()
    assert asked(root, pid=ended.pid, state="ready").state == "stopped"


def test_without_a_release_nothing_is_claimed(root: Path) -> None:
    own = {"pid": os.getpid(), "process": started(os.getpid())}
    assert asked(root).state == "stopped", "it should serve, and never wrote a word"
    (root / "run" / "server.json").write_text("{ half")
    assert asked(root).state == "stopped"
    (root / "current").unlink()
    assert asked(root, **own, state="ready") == Liveness("nothing deployed")


def test_an_address_is_one_that_can_be_called() -> None:
    board = TargetSpec("roof", "ssh://ann@roof:2222")
    assert url_of(board, ServerAddress("0.0.0.0", 8477, "http")) == "http://roof:8477"
    assert url_of(HERE, ServerAddress("::", 8477, "http")) == "http://127.0.0.1:8477"
    assert url_of(board, ServerAddress("::1", 8477, "https")) == "https://[::1]:8477"
    assert url_of(board, ServerAddress()) == ""
