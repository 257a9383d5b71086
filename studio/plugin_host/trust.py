"""What the user decided about plugins, and how often each has crashed: one JSON file."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from studio.documents.dataclass_json import from_json
from studio.lazy_dataclass import dataclass
from studio.settings import write_atomically

MOST_CRASHES = 3
"""With this many a plugin is switched off, until the user switches it on again."""


@dataclass(frozen=True, slots=True)
class PluginDecision:
    """The user's decision on one plugin, and its crashes.

    Attributes:
        agreed: Digest of the files that the user agreed to; empty where there were none.
        forbidden: The user switched it off.
        crashes: How often the files with the digest ``crashed`` have crashed.
        reason: The message of the last crash.
    """

    agreed: str = ""
    forbidden: bool = False
    crashed: str = ""
    crashes: int = 0
    reason: str = ""

    def crashes_of(self, digest: str) -> int:
        """Return how often these files have crashed; changed files start at 0."""
        return self.crashes if self.crashed == digest else 0


class Trust:
    """The decisions on plugins, stored in a folder that several processes may share.

    An unreadable file counts as empty: the user must allow the plugins again.

    Attributes:
        folder: Where they are stored.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / "plugins.json"

    def of(self, plugin: str) -> PluginDecision:
        """Return the decision on a plugin."""
        return self.standings().get(plugin, PluginDecision())

    def standings(self) -> dict[str, PluginDecision]:
        """Return the decisions on all plugins, by id."""
        try:
            values = json.loads(self._path.read_text(encoding="utf-8"))
            return from_json(dict[str, PluginDecision], values)
        except (OSError, ValueError):
            return {}

    def allow(self, plugin: str, digest: str) -> None:
        """Allow a plugin's files; past crashes and a prohibition are forgotten."""
        with self._changing() as standings:
            standings[plugin] = PluginDecision(agreed=digest)

    def forbid(self, plugin: str) -> None:
        """Disable a plugin, and revoke the consent to its files."""
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
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            standings = self.standings()
            yield standings
            values = {name: asdict(value) for name, value in sorted(standings.items())}
            write_atomically(self._path, json.dumps(values, indent=1).encode() + b"\n", mode=0o600)
