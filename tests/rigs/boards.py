"""Boards: real SSH servers in network, mount and process namespaces of their own.

A board has its own address on a bridge that this process makes, its own home and host key, and the
system's python3 without numpy. When it is closed, its first process ends and all
of its processes with it.
"""

from __future__ import annotations

import base64
import hashlib
import os
import random
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import pytest

from studio.api import TargetSpec
from tests.rigs.patience import patience
from tests.rigs.subnets import ip, take_subnet

IN_CI = os.environ.get("CI") == "true"
_READY_S = 60.0

# Runs as the first process of the board's namespaces, as root of that board alone.
_BOOT = r"""
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/sshd
if [ "$DISK_MB" != 0 ]; then
  mount -t tmpfs -o "size=${DISK_MB}m,mode=700" tmpfs "$BOARD/home"
fi
mkdir -p "$BOARD/home/.ssh" && cp "$BOARD/user.pub" "$BOARD/home/.ssh/authorized_keys"
mount --bind "$BOARD/home" /root
[ "$PYTHON" = yes ] || mount --bind /dev/null "$(readlink -f /usr/bin/python3)"
echo booted
read -r wired
ip link set lo up
ip addr add "$ADDRESS/24" dev eth0
ip link set eth0 up
exec /usr/sbin/sshd -D -e -f "$BOARD/sshd_config" 2>>"$BOARD/sshd.log"
"""

_CONFIG = """\
Port 22
HostKey {folder}/host
AuthorizedKeysFile /root/.ssh/authorized_keys
PidFile none
StrictModes no
UsePAM no
UseDNS no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxSessions 50
MaxStartups 100
Subsystem sftp internal-sftp
"""


class Network:
    """A bridge of this process, with an address for this computer and one for each board.

    Args:
        hidden: This computer has no address in it: only a board that is in it, too, leads there.
    """

    def __init__(self, hidden: bool = False) -> None:
        self.name = f"ew{uuid.uuid4().hex[:8]}"
        self.hidden = hidden
        self.prefix = f"198.19.{random.randrange(250)}"
        self._boards = 1

    def __enter__(self) -> Network:
        ip("link", "add", self.name, "type", "bridge")
        if not self.hidden:
            self.prefix = take_subnet(self.name, 18)
        ip("link", "set", self.name, "up")
        return self

    def __exit__(self, *_: object) -> None:
        ip("link", "del", self.name)

    def address(self) -> str:
        """A fresh address."""
        self._boards += 1
        return f"{self.prefix}.{self._boards}"

    def plug(self, pid: int, name: str = "eth0") -> str:
        """Connect the network namespace of a process; returns the name of this side's end."""
        end = f"ew{uuid.uuid4().hex[:8]}"
        ip("link", "add", end, "type", "veth", "peer", "name", name, "netns", str(pid))
        ip("link", "set", end, "master", self.name, "up")
        return end


class Board:
    """One board.

    Attributes:
        host_key: The public half, as ``TargetSpec.host_key`` wants it.
        home: The login's home, seen from this computer (not when it has a disk of its own).
    """

    def __init__(
        self,
        network: Network,
        folder: Path,
        *,
        python: bool = True,
        disk_mb: int = 0,
        more: str = "",
    ) -> None:
        self._network = network
        self._folder = folder
        self.address = network.address()
        self.home = folder / "home"
        self.key_file = folder / "user"
        self.home.mkdir(parents=True)
        for name in ("host", "user"):
            make_key(folder / name)
        self.host_key = public_key(folder / "host")
        (folder / "sshd_config").write_text(more + _CONFIG.format(folder=folder))
        self._environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "BOARD": str(folder),
            "ADDRESS": self.address,
            "PYTHON": "yes" if python else "no",
            "DISK_MB": str(disk_mb),
        }

    def __enter__(self) -> Board:
        spaces = ["--net", "--mount", "--pid", "--ipc", "--uts", "--fork", "--mount-proc"]
        with (self._folder / "boot.log").open("wb") as errors:
            self._process = subprocess.Popen(
                ["unshare", *spaces, "--kill-child", "sh", "-c", _BOOT],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=self._environment,
            )
        try:
            assert self._process.stdout is not None
            assert self._process.stdin is not None
            assert self._process.stdout.readline() == b"booted\n", self.log
            self._end = self._network.plug(self._process.pid)
            self._process.stdin.write(b"wired\n")
            self._process.stdin.flush()
            until(self._listens, "the board's SSH server listens", _READY_S)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    @property
    def url(self) -> str:
        """Its address as a target."""
        return f"ssh://root@{self.address}"

    @property
    def log(self) -> str:
        """What its start and its SSH server said."""
        logs = (self._folder / "boot.log", self._folder / "sshd.log")
        return "\n".join(log.read_text(errors="replace") for log in logs if log.exists())

    def spec(self, name: str = "board", host_key: str | None = None) -> TargetSpec:
        """It as a target with a confirmed key, or with another one."""
        key = self.host_key if host_key is None else host_key
        return TargetSpec(name, self.url, key, {"key_file": str(self.key_file)})

    @property
    def pid(self) -> int:
        """Of its first process, as this computer sees it."""
        parent = self._process.pid
        (child,) = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        return int(child)

    def run(self, *argv: str) -> str:
        """Run a command on the board, past SSH."""
        done = subprocess.run(
            [*self._inside(), *argv], capture_output=True, text=True, check=True, timeout=30
        )
        return done.stdout

    def _inside(self) -> list[str]:
        return ["nsenter", "--target", str(self.pid), "--net", "--mount", "--pid"]

    def join(self, network: Network) -> str:
        """Plug it into a second network; returns its address there."""
        address = network.address()
        network.plug(self._process.pid, "eth1")
        self.run("ip", "addr", "add", f"{address}/24", "dev", "eth1")
        self.run("ip", "link", "set", "eth1", "up")
        return address

    def speak(self, *argv: str) -> subprocess.Popen[bytes]:
        """A command of this computer in the board's network, until its input ends."""
        inside = [*self._inside()[:3], "--net"]
        return subprocess.Popen([*inside, *argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def cut(self) -> None:
        """Pull the network cable."""
        ip("link", "set", self._end, "down")

    def mend(self) -> None:
        """Plug it in again, and wait for the bridge to have learned of it."""
        ip("link", "set", self._end, "up")
        until(self._listens, "the board answers again")

    def _listens(self) -> bool:
        assert self._process.poll() is None, self.log
        if self._network.hidden:
            listening = [*self._inside(), "ss", "-Hltn", "sport = :22"]
            return bool(subprocess.run(listening, capture_output=True, timeout=30).stdout)
        with socket.socket() as probe:
            probe.settimeout(1.0)
            return probe.connect_ex((self.address, 22)) == 0


def require_boards() -> None:
    """Skip the test where boards cannot be made; in CI fail it."""
    needed = ("/usr/sbin/sshd", "unshare", "ip", "nsenter", "ssh-keygen")
    lacking = [program for program in needed if shutil.which(program) is None]
    if os.geteuid() != 0:
        lacking.append("root")
    if lacking:
        text = f"boards need {', '.join(lacking)}"
        if IN_CI:
            pytest.fail(f"{text} (a part that is missing in CI is a failure)", pytrace=False)
        pytest.skip(text)


@contextmanager
def network(hidden: bool = False) -> Iterator[Network]:
    """A network for boards, or a skip."""
    require_boards()
    with Network(hidden) as made:
        yield made


def make_key(path: Path) -> None:
    """Make a pair of keys."""
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)]
    subprocess.run(command, check=True, timeout=30)


def public_key(path: Path) -> str:
    """The public half of a pair."""
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


def fingerprint(path: Path) -> str:
    """What ``ssh-keygen -l`` says of a key."""
    command = ["ssh-keygen", "-l", "-f", str(path)]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=30
    ).stdout.split()[1]


def shown(key: str) -> str:
    """A public key's fingerprint, as a person reads it at the board."""
    digest = hashlib.sha256(base64.b64decode(key.split()[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def until(holds: Callable[[], bool], what: str, seconds: float = 10.0) -> None:
    """Wait for a condition; fail with its name when the time is up."""
    deadline = time.monotonic() + patience(seconds)
    while not holds():
        assert time.monotonic() < deadline, f"after {seconds:g} s still not: {what}"
        time.sleep(0.02)
