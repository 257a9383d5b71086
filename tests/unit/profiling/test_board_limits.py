"""Boards that cannot measure: no Python, an old one, no numpy, a full disk; one sentence each."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from studio.api import TargetError
from tests.rigs.boards import Board, Network
from tests.unit.profiling.test_board import measure

pytestmark = [
    pytest.mark.rig,
    pytest.mark.needs("sshd", "ip", "unshare", "nsenter"),
]

OLD = """#!/bin/sh
[ "$1" = -c ] || exit 1
program=$2; shift 2
exec {python} -c "import sys; sys.version_info = (3, 7, 9, 'final', 0)
$program" "$@"
"""
"""What probes as a Python 3.7: Debian has no real one."""

COMPLETE = '#!/bin/sh\n[ "$1" = -c ] && exit 0\nexec /usr/bin/python3 "$@"\n'
"""What probes as a Python with all that is needed, so that the copies begin."""


def with_python(board: Board, script: str) -> None:
    """Put a script where a release has its interpreter."""
    folder = "/root/.edgewright/env/1/bin"
    board.run("mkdir", "-p", folder)
    board.run("sh", "-c", f'printf %s "$1" > {folder}/python3', "sh", script)
    board.run("chmod", "755", f"{folder}/python3")


def refusal(board: Board, job: Any, arguments: Callable[..., Any]) -> str:
    with pytest.raises(TargetError) as caught:
        measure(board, job.folder, job, arguments(), lambda event: None)
    assert caught.value.message.count("\n") == 0
    return caught.value.message


def test_no_python(tmp_path: Path, job, arguments):
    with Network() as network, Board(network, tmp_path / "board", python=False) as board:
        assert refusal(board, job, arguments) == "The target has no python3."


def test_no_numpy(tmp_path: Path, job, arguments):
    with Network() as network, Board(network, tmp_path / "board") as board:
        assert refusal(board, job, arguments) == (
            "The target cannot run the benchmark: its python3 lacks numpy and onnxruntime."
        )


def test_a_python_that_is_too_old(tmp_path: Path, job, arguments):
    with Network() as network, Board(network, tmp_path / "board", python=False) as board:
        python = shutil.copy(Path("/usr/bin/python3").resolve(), tmp_path / "python3")
        with_python(board, OLD.replace("{python}", str(python)))
        assert refusal(board, job, arguments) == (
            "The target cannot run the benchmark: its python3 is 3.7, and 3.8 is needed."
        )


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, job, arguments):
    with Network() as network, Board(network, tmp_path / "board", disk_mb=1) as board:
        with_python(board, COMPLETE)
        board.run("sh", "-c", "dd if=/dev/zero of=/root/filler bs=1k 2>/dev/null || true")
        text = refusal(board, job, arguments)
        assert "space" in text.lower() or "full" in text.lower(), text
        assert "bench-" not in board.run("ls", "/root/.edgewright")
