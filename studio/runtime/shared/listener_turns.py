"""Turn of the releases: small files in the folder that a gate and its releases share.

``current`` names the release that shall answer, ``taken`` the one that answers, and ``past`` has
a line for each turn that was given. Each file is replaced whole, so a process that is restarted
at any time finds out what to do by reading.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Dict, List

from .files import write_atomically

_POLL_S = 0.05
_KEPT = 200


class Turns:
    """The files of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def socket(self) -> Path:
        """Where the gate lends its listening socket."""
        return self.folder / "gate.sock"

    def current(self) -> str:
        """Return the release that shall answer, or an empty string."""
        return self._read("current")

    def give(self, release: str, owner: str = "") -> None:
        """Let a release answer from now on."""
        if release and release != self.current():
            at = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
            lines = [json.dumps(row) for row in self.past()[1 - _KEPT :]]
            lines.append(json.dumps({"release": release, "at": at, "by": owner}))
            self._write("past", "\n".join(lines))
        self._write("current", release)

    def confirm(self, release: str) -> None:
        """Record that a release answers."""
        self._write("taken", release)

    def wait_until_taken(self, release: str, seconds: float) -> bool:
        """Wait for the release to answer; return whether it did in time."""
        deadline = time.monotonic() + seconds
        while self._read("taken") != release:
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
        return True

    def past(self) -> List[Dict[str, object]]:
        """Return all turns, the oldest first: ``release``, ``at``, ``by``."""
        return [json.loads(line) for line in self._read("past").splitlines()]

    def _read(self, name: str) -> str:
        try:
            return (self.folder / name).read_text()
        except FileNotFoundError:
            return ""

    def _write(self, name: str, text: str) -> None:
        write_atomically(self.folder / name, text.encode())
