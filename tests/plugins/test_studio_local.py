"""This computer as a target."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.api import Progress, Silent, TargetError, TargetSpec
from studio_local.channel import LocalChannel
from studio_local.target import LocalTarget

LOCAL = TargetSpec("local", "local:")


@pytest.fixture
def channel() -> LocalChannel:
    return LocalTarget().connect(LOCAL, Silent())


def test_commands_run_without_a_shell(channel: LocalChannel) -> None:
    lines: list[str] = []
    done = channel.run(["printf", "%s\n%s\n", "$HOME *", "b"], on_line=lines.append)
    assert (done.status, done.text) == (0, "$HOME *\nb\n")
    assert lines == ["$HOME *", "b"]


def test_input_and_both_outputs_of_any_size(channel: LocalChannel) -> None:
    code = (
        "import sys; d = sys.stdin.buffer.read()\n"
        "sys.stdout.buffer.write(d); sys.stderr.buffer.write(d)"
    )
    content = os.urandom(3_000_000)
    done = channel.run([sys.executable, "-c", code], stdin=content)
    assert done.stdout == content
    assert done.stderr == content
    assert channel.run(["true"], stdin=content).status == 0  # it does not read them


def test_lines_come_as_they_are_written(channel: LocalChannel) -> None:
    """The first line must be there while the command still waits for what follows from it."""
    told = threading.Event()
    code = "import sys; print('one', flush=True); sys.stdin.read(); print('two')"

    def hear(line: str) -> None:
        if line == "one":
            told.set()

    done = channel.run([sys.executable, "-c", code], on_line=hear)
    assert told.is_set()
    assert done.text == "one\ntwo\n"


def test_a_piece_may_be_made_of_the_answer_to_the_one_before(channel: LocalChannel) -> None:
    answered, heard = threading.Event(), []

    def hear(line: str) -> None:
        heard.append(line)
        answered.set()

    def pieces() -> Iterator[bytes]:
        yield b"first\n"
        assert answered.wait(20)
        yield b"after " + heard[0].encode() + b"\n"

    echo = "import sys\nfor line in sys.stdin: print(line.strip().upper(), flush=True)"
    done = channel.run([sys.executable, "-c", echo], stdin=pieces(), timeout=30, on_line=hear)
    assert done.stdout == b"FIRST\nAFTER FIRST\n"


def test_a_command_that_ends_before_it_said_what_it_needs(channel: LocalChannel) -> None:
    never = threading.Event()

    def pieces() -> Iterator[bytes]:
        never.wait()
        yield b""

    try:
        assert channel.run(["false"], stdin=pieces(), timeout=30).status == 1
    finally:
        never.set()


def test_a_command_that_is_not_there_or_hangs(channel: LocalChannel) -> None:
    assert channel.run(["no-such-program"]).status == 127
    with pytest.raises(TargetError, match=r"sleep did not end within 0\.2 s"):
        channel.run(["sleep", "60"], timeout=0.2)


@pytest.mark.slow
@pytest.mark.parametrize("where", ["", " >&2"])
def test_a_command_that_writes_without_end_is_ended(channel: LocalChannel, where: str) -> None:
    with pytest.raises(TargetError, match="sh said more than 64 MB and was ended"):
        channel.run(["sh", "-c", f"exec yes{where}"], timeout=300)


def test_a_line_without_end_is_ended_as_well(channel: LocalChannel) -> None:
    with pytest.raises(TargetError, match="said more than 64 MB"):
        channel.run(["cat", "/dev/zero"], timeout=300, on_line=lambda line: None)


def test_files_arrive_whole_or_not_at_all(channel: LocalChannel, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(os.urandom(2_500_000))
    seen: list[tuple[float, float]] = []

    class Watch(Silent):
        def progress(self, done: float, total: float, text: str = "") -> None:
            seen.append((done, total))
            if self.stop:
                raise InterruptedError

        stop = False

    watch: Progress = Watch()
    channel.put(source, str(tmp_path / "target"), watch)
    assert (tmp_path / "target").read_bytes() == source.read_bytes()
    assert seen[-1] == (2_500_000, 2_500_000)
    channel.get(str(tmp_path / "target"), tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == source.read_bytes()
    Watch.stop = True
    with pytest.raises(TargetError):
        channel.put(source, str(tmp_path / "other"), watch)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["back", "source", "target"]


def test_where_nothing_can_be_written(channel: LocalChannel, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(TargetError, match="cannot be written"):
        channel.put(tmp_path / "file", str(tmp_path / "no" / "folder"))
    with pytest.raises(TargetError, match="cannot be written"):
        channel.put(tmp_path / "file", str(tmp_path / "file" / "below"))
    with pytest.raises(TargetError, match="cannot be read"):
        channel.get(str(tmp_path / "nothing"), tmp_path / "x")


def test_the_folder_for_releases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = LocalTarget()
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path))
    assert target.default_root(LOCAL) == str(tmp_path / "data" / "releases")
    monkeypatch.delenv("EDGEWRIGHT_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert target.default_root(LOCAL) == "/data/edgewright/releases"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert target.default_root(LOCAL) == "~/.local/share/edgewright/releases"
    assert target.default_root(TargetSpec("x", "local:", settings={"root": "/r"})) == "/r"


def test_a_tunnel_leads_to_the_port_itself(channel: LocalChannel) -> None:
    with channel.forward(1234) as tunnel:
        assert (tunnel.host, tunnel.port) == ("127.0.0.1", 1234)
