"""OpenSSH's own client, for what a test does on a board past the studio."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.rigs.boards import shown

BOOT = "/proc/sys/kernel/random/boot_id"


class Shell:
    """Runs commands on a machine whose key is known.

    Attributes:
        key_file: Private key of the login.
    """

    def __init__(
        self, folder: Path, host_key: str, key_file: Path, address: str, port: int = 22
    ) -> None:
        self._host_key = host_key
        self._known = folder / "known_hosts"
        self._address = address
        self._port = port
        self.key_file = key_file
        place = address if port == 22 else f"[{address}]:{port}"
        self._known.write_text(f"{place} {host_key}\n")

    @property
    def fingerprint(self) -> str:
        """Of the machine's key, as a person reads it there."""
        return shown(self._host_key)

    def run(self, command: str, timeout: float = 60, user: str = "root") -> str:
        """Run a command that must succeed; its output."""
        done = self.attempt(command, timeout, user)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def attempt(
        self, command: str, timeout: float = 60, user: str = "root"
    ) -> subprocess.CompletedProcess[str]:
        """Run a command that may fail, or for which there may be nobody."""
        return subprocess.run(
            ["ssh", *self._words(), "-p", str(self._port), f"{user}@{self._address}", command],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip

    def put(self, source: Path, target: str) -> None:
        """Copy a file there, as root."""
        place = f"root@{self._address}:{target}"
        command = ["scp", "-q", *self._words(), "-P", str(self._port), str(source), place]
        subprocess.run(command, check=True, capture_output=True, timeout=120)

    def _words(self) -> list[str]:
        options = {
            "UserKnownHostsFile": self._known,
            "StrictHostKeyChecking": "yes",
            "BatchMode": "yes",
            "ConnectTimeout": "10",
            "IdentitiesOnly": "yes",
        }
        words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        return ["-F", "none", *words, "-i", str(self.key_file)]

    def boot(self) -> str:
        """The number of this start of the machine; empty while nobody can log in."""
        try:
            return self.attempt(f"cat {BOOT}", 20).stdout.strip()
        except subprocess.TimeoutExpired:
            return ""
