"""Boards over SSH: addresses, host keys, logins, commands, files and tunnels on a real board."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from studio.api import (
    ChangedHost,
    Refused,
    Silent,
    TargetError,
    TargetSpec,
    UnknownHost,
    UsageError,
)
from studio.api.testing import check_connector
from studio_ssh import hostkey
from studio_ssh.address import Address
from studio_ssh.channel import SshChannel
from studio_ssh.hostkey import HostKey
from studio_ssh.target import SshTarget
from tests.rigs.boards import Board, fingerprint, make_key, network, public_key

ED = HostKey("ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAIJPLrtZx6hN59vRxLnn2uW7v/E3I6l6GgjVAWDKs9T48")
RSA = HostKey("ssh-rsa", "AAAAB3NzaC1yc2EAAAADAQABAAAAgQC7")
ADDRESS = Address("board", 22, "root")


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("ssh://pi@board", Address("board", 22, "pi")),
        ("ssh://pi@10.0.0.7:2222", Address("10.0.0.7", 2222, "pi")),
        ("ssh://pi@[fe80::1]:2222/", Address("fe80::1", 2222, "pi")),
    ],
)
def test_addresses(url: str, wanted: Address) -> None:
    assert Address.parse(url) == wanted


@pytest.mark.parametrize(
    "url",
    [
        "ssh:",
        "ssh://",
        "http://board",
        "board",
        "ssh://b:notaport",
        "ssh://b/path",
        "ssh://b:99999",
    ],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(UsageError, match="is not the address of a board"):
        Address.parse(url)


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        Address.parse("ssh://pi:raspberry@board")
    assert "raspberry" not in str(caught.value) + caught.value.hint


def test_only_a_confirmed_key_passes() -> None:
    hostkey.check(ED, (ED,), ADDRESS)
    hostkey.check(ED, (RSA, ED), ADDRESS)
    with pytest.raises(UnknownHost) as unknown:
        hostkey.check(ED, (), ADDRESS)
    assert unknown.value.key == str(ED)
    assert unknown.value.fingerprint == ED.fingerprint
    other = HostKey("ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAIA")
    with pytest.raises(ChangedHost) as changed:
        hostkey.check(other, (RSA, ED), ADDRESS)
    assert ED.fingerprint in str(changed.value)
    assert other.fingerprint in str(changed.value)


def test_the_targets_own_key_goes_before_known_hosts(tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    known.write_text(f"other {RSA}\n[board]:2222 {ED}\n")
    there, files = Address("board", 2222, "root").known_as, (known,)
    assert hostkey.confirmed("", there, files) == (ED,)
    assert hostkey.confirmed(str(RSA), there, files) == (RSA,)
    assert hostkey.confirmed("", ADDRESS.known_as, files) == ()
    assert hostkey.confirmed("", there, (tmp_path / "nothing", known)) == (ED,)
    known.write_bytes(b"\xff\xfe garbage \x00\n")
    assert hostkey.confirmed("", there, files) == ()
    assert hostkey.confirmed("", there, (tmp_path / "nothing",)) == ()


def test_confirmed_key_types_are_asked_for_first() -> None:
    supported = ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256")
    assert hostkey.preferred((RSA,), supported)[:2] == ("rsa-sha2-512", "rsa-sha2-256")
    assert hostkey.preferred((), supported) == supported
    assert sorted(hostkey.preferred((RSA, ED), supported)) == sorted(supported)


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    with network() as made, Board(made, tmp_path_factory.mktemp("board") / "b") as one:
        yield one


@pytest.fixture
def channel(board: Board) -> Iterator[SshChannel]:
    opened = SshTarget().connect(board.spec(), Silent())
    yield opened
    opened.close()


def refusal(spec: TargetSpec) -> str:
    with pytest.raises((TargetError, Refused)) as caught:
        SshTarget().connect(spec, Silent())
    message = caught.value.message
    assert message.endswith(".")
    assert "\n" not in message
    return message


@pytest.mark.rig
def test_first_contact_shows_the_fingerprint_and_goes_no_further(board: Board) -> None:
    host = board.key_file.with_name("host")
    with pytest.raises(UnknownHost) as caught:
        SshTarget().connect(board.spec(host_key=""), Silent())
    assert caught.value.key == board.host_key
    assert caught.value.fingerprint == fingerprint(host)
    assert fingerprint(host) in caught.value.message
    confirmed = board.spec(host_key=caught.value.key)
    SshTarget().connect(confirmed, Silent()).close()


@pytest.mark.rig
def test_a_changed_key_is_refused_with_both_fingerprints(board: Board, tmp_path: Path) -> None:
    make_key(tmp_path / "before")
    message = refusal(board.spec(host_key=public_key(tmp_path / "before")))
    assert fingerprint(tmp_path / "before") in message
    assert fingerprint(board.key_file.with_name("host")) in message


@pytest.mark.rig
def test_known_hosts_counts_as_confirmed(board: Board) -> None:
    folder = Path("~/.ssh").expanduser()
    folder.mkdir(exist_ok=True)
    known = folder / "known_hosts"
    known.write_text(f"{board.address} {board.host_key}\n")
    try:
        SshTarget().connect(board.spec(host_key=""), Silent()).close()
    finally:
        known.unlink()


@pytest.mark.rig
def test_logins_that_fail_say_why(board: Board, tmp_path: Path) -> None:
    spec = board.spec()
    make_key(tmp_path / "stranger")
    (tmp_path / "noise").write_text("not a key")

    def using(path: Path | str) -> TargetSpec:
        return replace(spec, settings={"key_file": str(path)})

    assert "refuses the login of root with the key" in refusal(using(tmp_path / "stranger"))
    assert "cannot be read: No such file" in refusal(using(tmp_path / "nothing"))
    assert "is not a private key" in refusal(using(tmp_path / "noise"))
    assert "No SSH key to log in" in refusal(replace(spec, settings={}))
    nobody = replace(spec, url=f"ssh://nobody-here@{board.address}")
    assert "refuses the login of nobody-here" in refusal(nobody)


@pytest.mark.rig
def test_a_protected_key_names_the_agent(board: Board, tmp_path: Path) -> None:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", str(tmp_path / "k")]
    subprocess.run(command, check=True, timeout=30)
    spec = replace(board.spec(), settings={"key_file": str(tmp_path / "k")})
    assert "is protected by a passphrase" in refusal(spec)


@pytest.mark.rig
def test_the_agents_keys_are_tried(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    started = subprocess.run(["ssh-agent", "-s"], capture_output=True, text=True, check=True)
    found = dict(re.findall(r"(SSH_\w+)=([^;]+);", started.stdout))
    try:
        for name, value in found.items():
            monkeypatch.setenv(name, value)
        subprocess.run(["ssh-add", "-q", str(board.key_file)], check=True, capture_output=True)
        SshTarget().connect(replace(board.spec(), settings={}), Silent()).close()
    finally:
        os.kill(int(found["SSH_AGENT_PID"]), 15)


@pytest.mark.rig
def test_what_does_not_answer_like_ssh(board: Board) -> None:
    url = f"ssh://root@{board.address}:2"
    assert "refuses connections on port 2" in refusal(replace(board.spec(), url=url))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def answer() -> None:
            client, _ = listener.accept()
            client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            client.close()

        thread = threading.Thread(target=answer)
        thread.start()
        message = refusal(replace(board.spec(), url=f"ssh://root@127.0.0.1:{port}"))
        thread.join()
    assert "ended the conversation before the login was done" in message


@pytest.mark.rig
def test_it_is_a_connector_as_the_plugin_kit_asks(board: Board, tmp_path: Path) -> None:
    check_connector(SshTarget(), board.spec(), tmp_path)


@pytest.mark.rig
def test_commands_run_without_expansion(channel: SshChannel) -> None:
    lines: list[str] = []
    words = ["$HOME", "a b", "*", "'", '"', "`id`", "\\", "line\nbreak", "ü"]
    done = channel.run(["printf", "%s|", *words], on_line=lines.append)
    assert done.text == "|".join(words) + "|"
    assert done.status == 0
    both = channel.run(["sh", "-c", "cat; echo no >&2; exit 3"], stdin=b"yes")
    assert (both.status, both.stdout, both.stderr) == (3, b"yes", b"no\n")
    assert channel.run(["no-such-program"]).status == 127


@pytest.mark.rig
def test_much_input_and_output(channel: SshChannel) -> None:
    content = os.urandom(5_000_000)
    done = channel.run(["cat"], stdin=content)
    assert done.stdout == content


@pytest.mark.rig
@pytest.mark.parametrize("where", ["", " >&2"])
def test_a_command_that_writes_without_end_is_ended(channel: SshChannel, where: str) -> None:
    with pytest.raises(TargetError, match=r"sh on .* said more than 64 MB and was ended"):
        channel.run(["sh", "-c", f"exec yes{where}"], timeout=300)
    assert channel.run(["echo", "on"]).text == "on\n"


def test_a_command_that_hangs(channel: SshChannel) -> None:
    with pytest.raises(TargetError, match=r"did not end within 0\.5 s"):
        channel.run(["sleep", "60"], timeout=0.5)
    assert channel.run(["true"]).status == 0


@pytest.mark.rig
def test_files_there_and_back(channel: SshChannel, board: Board, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(os.urandom(3_000_001))
    channel.put(source, "/root/target")
    channel.put(source, "/root/target")  # replaces
    channel.get("/root/target", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == source.read_bytes()
    assert sorted(path.name for path in board.home.iterdir()) == [".ssh", "target"]


@pytest.mark.rig
def test_files_that_cannot_be_put(channel: SshChannel, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x")
    with pytest.raises(TargetError, match="there is no such folder"):
        channel.put(source, "/root/no/folder/file")
    channel.run(["mkdir", "-p", "/root/taken/by-a-folder"])
    with pytest.raises(TargetError, match="cannot be written"):
        channel.put(source, "/root/taken")
    with pytest.raises(TargetError, match="cannot be read: there is no such"):
        channel.get("/root/nothing", tmp_path / "x")


@pytest.mark.rig
def test_a_tunnel_reaches_the_boards_own_loopback(channel: SshChannel) -> None:
    code = (
        "import socket; s = socket.create_server(('127.0.0.1', 4711)); print('up', flush=True)\n"
        "for _ in range(3):\n"
        "    c, _ = s.accept(); c.sendall(c.recv(1000)[::-1]); c.close()\n"
    )
    up = threading.Event()
    worker = threading.Thread(
        target=lambda: channel.run(["python3", "-c", code], on_line=lambda _: up.set())
    )
    worker.start()
    assert up.wait(10)
    with channel.forward(4711) as tunnel:
        for text in (b"one", b"two", b"three"):
            with socket.create_connection((tunnel.host, tunnel.port), 10) as link:
                link.sendall(text)
                assert link.recv(1000) == text[::-1]
        port = tunnel.port
    worker.join(10)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 10)
