"""What the user decided about plugins, and how often each has crashed: one JSON file."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from studio.documents.dataclass_json import from_json
from studio.settings import write_atomically

MOST_CRASHES = 3
"""With this many a plugin is switched off, until the user switches it on again."""


@dataclass(frozen=True, slots=True)
class PluginDecision:
    """What is known of one plugin.

    Attributes:
        agreed: Digest of the files that the user agreed to; empty where there were none.
        forbidden: The user switched it off.
        crashes: How often the files with the digest ``crashed`` have crashed.
        reason: How the last crash said itself.
    """

    agreed: str = ""
    forbidden: bool = False
    crashed: str = ""
    crashes: int = 0
    reason: str = ""

    def crashes_of(self, digest: str) -> int:
        """How often these files have crashed; other files begin anew."""
        return self.crashes if self.crashed == digest else 0


class Trust:
    """The standings of plugins, kept in a folder; several processes may share it.

    A file that cannot be read counts as empty: then the user is asked again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "plugins.json"

    def of(self, plugin: str) -> PluginDecision:
        """What is known of a plugin."""
        return self.standings().get(plugin, PluginDecision())

    def standings(self) -> dict[str, PluginDecision]:
        """What is known of every plugin, by id."""
        try:
            values = json.loads(self._path.read_text(encoding="utf-8"))
            return from_json(dict[str, PluginDecision], values)
        except (OSError, ValueError):
            return {}

    def allow(self, plugin: str, digest: str) -> None:
        """Agree to a plugin's files; past crashes and a prohibition are forgotten."""
        with self._changing() as standings:
            standings[plugin] = PluginDecision(agreed=digest)

    def forbid(self, plugin: str) -> None:
        """Switch a plugin off, and take back what was agreed to."""
        with self._changing() as standings:
            standings[plugin] = PluginDecision(forbidden=True)

    def note_crash(self, plugin: str, digest: str, reason: str) -> int:
        """Count a crash; returns how many these files have had."""
        with self._changing() as standings:
            before = standings.get(plugin, PluginDecision())
            count = before.crashes_of(digest) + 1
            standings[plugin] = replace(before, crashed=digest, crashes=count, reason=reason)
        return count

    @contextmanager
    def _changing(self) -> Iterator[dict[str, PluginDecision]]:
        """The standings, written back whole; one process at a time."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            standings = self.standings()
            yield standings
            values = {name: asdict(value) for name, value in sorted(standings.items())}
            write_atomically(self._path, json.dumps(values, indent=1).encode() + b"\n")
