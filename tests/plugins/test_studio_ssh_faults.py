"""What goes wrong on the way to a board: a cut link, a full disk; each one clear sentence, soon."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest
from paramiko.common import cMSG_CHANNEL_EOF

from studio.api import Silent, TargetError
from studio_ssh.target import SshTarget
from tests.rigs.boards import Board, network, until

pytestmark = pytest.mark.rig

SOON_S = 20.0
"""By then a dead link must have been noticed: ten seconds of silence and some grace."""


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    with network() as made, Board(made, tmp_path / "b", disk_mb=8) as one:
        yield one


class CutAt(Silent):
    """Pulls the cable when so many bytes are on their way."""

    def __init__(self, board: Board, size: int) -> None:
        self._board = board
        self._size = size
        self.cut_at = 0.0

    def progress(self, done: float, total: float, text: str = "") -> None:
        if done >= self._size and not self.cut_at:
            self._board.cut()
            self.cut_at = time.monotonic()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two seconds of silence are enough, so that the tests need not wait for ten."""
    monkeypatch.setattr("studio_ssh.connection.DEAD_LINK_S", 2.0)
    monkeypatch.setattr("studio_ssh.watchdog.DEAD_LINK_S", 2.0)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("size", [1, 1_500_000, 3_000_000])
def test_a_cut_link_is_noticed_and_leaves_no_file(board: Board, tmp_path: Path, size: int) -> None:
    source = tmp_path / "source"
    source.write_bytes(os.urandom(3_000_000))
    channel = SshTarget().connect(board.spec(), Silent())
    cutter = CutAt(board, size)
    with pytest.raises(TargetError, match="was lost during the transfer"):
        channel.put(source, "/root/target", cutter)
    assert time.monotonic() - cutter.cut_at < SOON_S
    channel.close()
    board.mend()
    again = SshTarget().connect(board.spec(), Silent())
    assert again.run(["ls", "/root"]).text.split() == []
    again.put(source, "/root/target")
    assert again.run(["wc", "-c", "/root/target"]).text.split()[0] == "3000000"
    again.close()


def test_a_link_that_has_just_gone_is_closed_without_a_word(board: Board, tmp_path: Path) -> None:
    """Before paramiko's own thread has noticed it, which takes up to a tenth of a second."""
    source = tmp_path / "source"
    source.write_bytes(b"x")
    channel = SshTarget().connect(board.spec(), Silent())
    channel.put(source, "/root/target")
    channel.transport.sock.close()
    channel.close()
    assert not channel.transport.is_active()


def test_what_ended_before_the_link_went_has_ended(board: Board) -> None:
    channel = SshTarget().connect(board.spec(), Silent())
    done = channel.run(["printf", "all"], on_line=lambda line: channel.transport.sock.close())
    assert (done.status, done.text) == (0, "all")
    channel.close()


@pytest.mark.usefixtures("impatient")
def test_a_link_cut_under_a_command(board: Board) -> None:
    channel = SshTarget().connect(board.spec(), Silent())
    heard = threading.Event()

    def cut() -> None:
        heard.wait(10)
        board.cut()

    cutter = threading.Thread(target=cut)
    cutter.start()
    began = time.monotonic()
    with pytest.raises(TargetError, match="was lost"):
        channel.run(["sh", "-c", "echo on; sleep 60"], timeout=60, on_line=lambda line: heard.set())
    assert time.monotonic() - began < SOON_S
    cutter.join()
    channel.close()


def test_a_full_disk_says_what_is_needed_and_what_is_free(board: Board, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(os.urandom(12_000_000))
    channel = SshTarget().connect(board.spec(), Silent())
    with pytest.raises(TargetError) as caught:
        channel.put(source, "/root/target")
    assert "is full: the file needs 12.0 MB, and" in caught.value.message
    assert channel.run(["ls", "/root"]).text.split() == []
    channel.close()


def test_a_board_that_is_switched_off(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio_ssh.connection.CONNECT_S", 0.5)
    board.cut()
    with pytest.raises(TargetError, match=r"did not answer within 0\.5 s|no route"):
        SshTarget().connect(board.spec(), Silent())


def test_a_tunnel_whose_port_nobody_serves_closes(board: Board) -> None:
    channel = SshTarget().connect(board.spec(), Silent())
    with channel.forward(4712) as tunnel, socket.create_connection(("127.0.0.1", tunnel.port)) as s:
        s.settimeout(10)
        assert s.recv(1) == b""
    channel.close()
    until(
        lambda: not [t for t in threading.enumerate() if t.name == "ssh tunnel"],
        "the tunnel's thread has ended",
    )


@pytest.fixture
def slow_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """An EOF takes a while to go out, as it does when another thread has the interpreter."""
    send = paramiko.Transport._send_user_message

    def slowly(self: paramiko.Transport, message: paramiko.Message) -> None:
        if message.asbytes()[:1] == cMSG_CHANNEL_EOF:
            time.sleep(0.05)
        send(self, message)

    monkeypatch.setattr(paramiko.Transport, "_send_user_message", slowly)


@pytest.mark.usefixtures("slow_ends")
@pytest.mark.parametrize("stdin", [b"", b"x", b"x" * 200_000])
def test_a_command_that_ends_at_once_does_not_end_the_connection(
    board: Board, stdin: bytes
) -> None:
    """OpenSSH ends it when an EOF comes for a channel that is closed already."""
    channel = SshTarget().connect(board.spec(), Silent())
    for _ in range(4):
        assert channel.run(["true"], stdin=stdin).status == 0
        time.sleep(0.1)  # by then the EOF has gone out, in whichever order
    assert "nonexistent" not in board.log
    channel.close()
