"""The emulated machine: started, reached over SSH at a port of this computer, ended."""

from __future__ import annotations

import subprocess
from pathlib import Path

from studio.api import TargetSpec
from tests.benchmarks.serve.peers import free_port
from tests.integration.arm64.image import Image
from tests.rigs.boards import shown, until

PROGRAMS = ("qemu-system-aarch64", "ssh")
START_S = 300.0
_MEMORY_MB = 1536


class Machine:
    """A machine whose disk forgets everything when it ends (but not when it restarts).

    Attributes:
        port: Of this computer; the machine's SSH server answers there.
    """

    def __init__(self, image: Image, folder: Path) -> None:
        self._image = image
        self._console = folder / "console.log"
        self._known = folder / "known_hosts"
        self.key_file = image.user
        self.port = free_port()
        self._known.write_text(f"[127.0.0.1]:{self.port} {image.host_key}\n")

    def __enter__(self) -> Machine:
        disk = self._drive()
        network = f"user,id=n,restrict=on,hostfwd=tcp:127.0.0.1:{self.port}-:22"
        kernel = "console=ttyAMA0 root=/dev/nvme0n1 rw quiet systemd.show_status=0"
        with self._console.open("wb") as console:
            self._process = subprocess.Popen(
                [
                    *("nice", "-n", "19", "qemu-system-aarch64", "-M", "virt"),
                    *("-cpu", "cortex-a72", "-accel", "tcg,thread=multi"),
                    *("-m", str(_MEMORY_MB), "-smp", "2", "-nographic", "-monitor", "none"),
                    *("-kernel", str(self._image.kernel), "-append", kernel),
                    *("-drive", disk, "-device", "nvme,serial=r1,drive=r"),
                    *("-netdev", network, "-device", "virtio-net-pci,netdev=n,romfile="),
                ],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )
        try:
            until(lambda: self.boot() != "", "the machine can be logged in to", START_S)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _drive(self) -> str:
        return f"id=r,file={self._image.disk},format=raw,if=none,snapshot=on"

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    @property
    def fingerprint(self) -> str:
        """Of the board's key, as a person reads it there."""
        return shown(self._image.host_key)

    @property
    def url(self) -> str:
        """Its address as a target."""
        return f"ssh://root@127.0.0.1:{self.port}"

    def spec(self, name: str = "board") -> TargetSpec:
        """It as a target with a confirmed key."""
        return TargetSpec(name, self.url, self._image.host_key, {"key_file": str(self.key_file)})

    def run(self, command: str, timeout: float = 60) -> str:
        """Run a command there; its output."""
        done = self._ssh(command, timeout)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def boot(self) -> str:
        """The number of this start of its kernel; empty while nobody can log in."""
        assert self._process.poll() is None, self.console
        try:
            return self._ssh("cat /proc/sys/kernel/random/boot_id", 20).stdout.strip()
        except subprocess.TimeoutExpired:
            return ""

    def restart(self) -> None:
        """Restart it as a person would, and wait until it can be logged in to again."""
        before = self.boot()
        self._ssh("systemctl reboot", 30)
        until(lambda: self.boot() not in ("", before), "the machine has restarted", START_S)

    @property
    def console(self) -> str:
        """What it printed."""
        return self._console.read_text(errors="replace")[-4000:]

    def _ssh(self, command: str, timeout: float) -> subprocess.CompletedProcess[str]:
        options = {
            "UserKnownHostsFile": self._known,
            "StrictHostKeyChecking": "yes",
            "BatchMode": "yes",
            "ConnectTimeout": "10",
            "IdentitiesOnly": "yes",
        }
        words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        return subprocess.run(
            ["ssh", "-F", "none", *words, "-i", str(self.key_file), "-p", str(self.port),
             "root@127.0.0.1", command],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip
