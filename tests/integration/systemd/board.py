"""The board: systemd-nspawn in namespaces and a control group of its own, on a bridge."""

from __future__ import annotations

import subprocess
import uuid
from pathlib import Path

from tests.integration.systemd.image import Image
from tests.rigs.boards import Network, until
from tests.rigs.shell import Shell

PROGRAMS = ("systemd-nspawn", "ssh", "ip", "unshare")
START_S = 60.0

# Ends the board when its standard input does: also when the tests are killed.
_BOOT = r"""
set -e
mount --make-rprivate /
umount -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
group="/sys/fs/cgroup/$GROUP"
mkdir "$group"
ip link set lo up
echo booted
read -r wired
ip addr add "$ADDRESS/24" dev eth0
ip link set eth0 up
sh -c "$INSIDE" <&- &
read -r ended || true
echo 1 > "$group/cgroup.kill"
wait
while grep -q "populated 1" "$group/cgroup.events"; do sleep 0.02; done
find "$group" -depth -type d -exec rmdir {} \;
"""

# 133 is how a container asks to be started again; its first process may not be the namespace's.
_INSIDE = r"""
echo $$ > "/sys/fs/cgroup/$GROUP/cgroup.procs"
exec unshare --mount --cgroup --pid --fork --kill-child --mount-proc sh -c '
umount /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
while :; do
  code=0
  systemd-nspawn --quiet --register=no --keep-unit --console=pipe --resolv-conf=off \
    --link-journal=no --timezone=off --directory="$TREE" \
    --network-namespace-path=/proc/self/ns/net --boot </dev/null || code=$?
  [ "$code" = 133 ] || exit "$code"
done
'
"""


class SystemdBoard:
    """A board that keeps what is written on it, through restarts, until the test ends.

    Attributes:
        shell: Root's, over SSH.
        tree: Its file system.
        started: Whether it was started.
    """

    def __init__(
        self, network: Network, image: Image, folder: Path, start_s: float = START_S
    ) -> None:
        self._network = network
        self._image = image
        self.tree = folder / "tree"
        self._log = folder / "console.log"
        self.started = False
        self._start_s = start_s
        self.address = network.address()
        self.shell = Shell(folder, image.host_key, image.user, self.address)

    def __enter__(self) -> SystemdBoard:
        copy = ["cp", "-a", "--reflink=auto", str(self._image.tree), str(self.tree)]
        subprocess.run(copy, check=True, timeout=120)
        with self._log.open("wb") as errors:
            self._process = subprocess.Popen(
                ["unshare", "--net", "--mount", "--fork", "--kill-child", "sh", "-c", _BOOT],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={
                    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                    "ADDRESS": self.address,
                    "GROUP": f"edgewright-{uuid.uuid4().hex[:8]}",
                    "INSIDE": _INSIDE,
                    "TREE": str(self.tree),
                },
            )
        self.started = True
        try:
            assert self._process.stdout is not None
            assert self._process.stdin is not None
            assert self._process.stdout.readline() == b"booted\n", self.console
            self._network.plug(self._process.pid)
            self._process.stdin.write(b"wired\n")
            self._process.stdin.flush()
            until(lambda: self.boot() != "", "the board can be logged in to", self._start_s)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def ended(self) -> bool:
        """Whether nobody can log in to it."""
        return self.shell.boot() == ""

    def url(self, user: str = "root") -> str:
        """Its address as a target."""
        return f"ssh://{user}@{self.address}"

    def boot(self) -> str:
        """The number of this start; empty while nobody can log in."""
        assert self._process.poll() is None, self.console
        return self.shell.boot()

    def restart(self) -> None:
        """Restart it as a person would, and wait until it can be logged in to again."""
        before = self.boot()
        self.shell.attempt("systemctl reboot", 30)
        until(lambda: self.boot() not in ("", before), "the board has restarted", START_S)

    @property
    def console(self) -> str:
        """What its start complained of."""
        return self._log.read_text(errors="replace")[-4000:]
