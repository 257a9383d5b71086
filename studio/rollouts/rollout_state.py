"""The ledger of a rollout: its request and the state of each target, always on the disk.

A rollout may be ended by its process, by the studio, or by a power failure. It is resumed from the
ledger: a folder with ``ledger.jsonl`` (a line for each change, flushed to the disk), and the bundle
if it was packaged for the rollout.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import IO

from studio.api import UsageError
from studio.documents.dataclass_json import JsonValue, from_json, to_json
from studio.lazy_dataclass import dataclass
from studio.packages.results import PackageResult
from studio.registry import ModelRef
from studio.rollouts.results import TargetRow
from studio.runtime.shared.files import append_line

LAST = "last"
if sys.platform != "win32":
    import fcntl

_FILE = "ledger.jsonl"
_KEPT = 100
"""Number of finished rollouts whose ledgers are kept."""


@dataclass(frozen=True, slots=True)
class RolloutHead:
    """The request of a rollout, from which it is resumed.

    Attributes:
        bundle: Folder of the bundle.
        options: Options for a resumed rollout, in JSON form.
    """

    targets: tuple[str, ...]
    bundle: str
    model: ModelRef | None
    packaged: PackageResult | None
    options: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """A line of a ledger; its kind decides which fields are set.

    Attributes:
        at: Seconds since 1970.
    """

    kind: str = ""
    at: float = 0.0
    row: TargetRow | None = None
    state: str = ""
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SavedState:
    """The content of a ledger.

    Attributes:
        head: Request: targets, rule, bundle.
        rows: The last row of each target.
        state: ``open`` until the rollout ends, then ``done`` or ``halted``.
        recorded: Targets whose rows are in the registry.
    """

    head: RolloutHead
    rows: Mapping[str, TargetRow]
    state: str = "open"
    recorded: frozenset[str] = field(default=frozenset())


class RolloutState:
    """A thread-safe ledger of one rollout."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._claim: IO[bytes] | None = None

    @property
    def name(self) -> str:
        """Name of the rollout, by which it is resumed."""
        return self.folder.name

    @classmethod
    def begin(
        cls, place: Path, head: RolloutHead, release: str, bundle: Path | None
    ) -> RolloutState:
        """Create a ledger; a bundle packaged for the rollout is moved into its folder."""
        place.mkdir(parents=True, exist_ok=True)
        _tidy(place)
        stem = f"{time.strftime('%Y%m%d-%H%M%S')}-{release[:8]}"
        ledger = cls(_free(place, stem))
        if bundle is not None:
            head = replace(head, bundle=str(ledger.folder / "bundle"))
            shutil.move(bundle, head.bundle)
        ledger.append("begun", **to_json(head))
        return ledger

    @classmethod
    def find(cls, place: Path, name: str) -> RolloutState:
        """Return the ledger of a name, or the last one.

        Raises:
            UsageError: when it does not exist.
        """
        names = ledgers(place)
        if name == LAST and names:
            return cls(place / names[-1])
        if name in names:
            return cls(place / name)
        known = ", ".join(names[-5:]) or "none yet"
        raise UsageError(
            f"Unknown rollout {name!r}." if name != LAST else "No rollout to resume.",
            hint=f"The last ones: {known}.",
        )

    def claim(self) -> None:
        """Lock the ledger until this process ends.

        Raises:
            UsageError: when another process has locked it.
        """
        self._claim = _claimed(self.folder)
        if self._claim is None:
            raise UsageError(
                f"The rollout {self.name} is still running.",
                hint="Wait for it, or cancel it there.",
            )

    def append(self, kind: str, **values: JsonValue) -> None:
        """Append a line, and flush it to the disk."""
        line = json.dumps({"kind": kind, "at": time.time(), **values}, default=str)
        with self._lock:
            append_line(self.folder / _FILE, line.encode())

    def read(self) -> SavedState:
        """Read the ledger, without a last line that is incomplete.

        Raises:
            UsageError: when it has no first line.
        """
        head: RolloutHead | None = None
        rows: dict[str, TargetRow] = {}
        recorded: set[str] = set()
        state = "open"
        for document in self._lines():
            line = from_json(LedgerLine, document)
            if line.kind == "begun":
                head = from_json(RolloutHead, document)
            elif line.kind == "resumed":
                state = "open"
            elif line.kind == "row" and line.row is not None:
                rows[line.row.target] = line.row
                recorded.discard(line.row.target)
            elif line.kind == "ended":
                state = line.state
            elif line.kind == "recorded":
                recorded |= set(line.targets)
        if head is None:
            raise UsageError(f"The rollout {self.name} has nothing that could be resumed.")
        return SavedState(head, rows, state, frozenset(recorded))

    def changes(self) -> list[LedgerLine]:
        """Return all lines with their times, in their order."""
        return [from_json(LedgerLine, document) for document in self._lines()]

    def _lines(self) -> Iterator[JsonValue]:
        with contextlib.suppress(OSError), (self.folder / _FILE).open("rb") as file:
            for text in file:
                with contextlib.suppress(ValueError):
                    yield json.loads(text)


def ledgers(place: Path) -> list[str]:
    """Return the names of all ledgers, the oldest first."""
    return sorted(one.name for one in place.iterdir()) if place.is_dir() else []


def unfinished(place: Path) -> str:
    """Return the name of the last rollout if it can be resumed; else an empty text."""
    names = ledgers(place)
    with contextlib.suppress(UsageError):
        if names and RolloutState(place / names[-1]).read().state != "done":
            claim = _claimed(place / names[-1])
            if claim is not None:
                claim.close()
                return names[-1]
    return ""


def is_running(folder: Path) -> bool:
    """Return whether another process carries a rollout out now."""
    claim = _claimed(folder)
    if claim is None:
        return True
    claim.close()
    return False


def _claimed(folder: Path) -> IO[bytes] | None:
    """Return the open lock file; None if another process holds the lock."""
    file = (folder / "claim").open("ab")
    if sys.platform == "win32":  # no such locks there; the targets' leases protect them
        return file
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


def place_of(data: Path) -> Path:
    """Return the folder of a workspace's ledgers."""
    return data / "rollouts"


def _free(place: Path, stem: str) -> Path:
    """Create a folder; two rollouts may start in the same second."""
    for number in range(1, 1000):
        folder = place / (stem if number == 1 else f"{stem}-{number}")
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
            return folder
    raise OSError(f"no free name in {place}")


def _tidy(place: Path) -> None:
    for name in ledgers(place)[:-_KEPT]:
        with contextlib.suppress(UsageError):
            if RolloutState(place / name).read().state == "done":
                shutil.rmtree(place / name, ignore_errors=True)
