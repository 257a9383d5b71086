"""What a test holds of studios that race: their processes, their reports, and the invariants."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from multiprocessing.connection import Connection, Listener, wait
from pathlib import Path

from studio.registry import Registry
from studio.registry.database import Database
from studio.registry.servers.address import SharedAddress, use
from tests.integration.registry import racer

FOREVER = 1 << 30
LIMIT_S = 60.0


class RacingStudio:
    """A studio that changes a registry in a process of its own, and can be killed.

    Args:
        folder: Its home.
        name: Its name, which its rows bear.
        address: The shared registry.
        environment: The environment of its process.

    Attributes:
        saved: What it has reported as saved, with begin and end by its clock.
        failures: The sentences of changes that failed.
        step: The step that it was in last; empty between two changes.
    """

    def __init__(
        self, folder: Path, name: str, address: SharedAddress, environment: Mapping[str, str]
    ) -> None:
        self.name, self._home = name, folder / name / "registry"
        use(self._home, address)
        self.saved: dict[str, tuple[float, float]] = {}
        self.failures: list[str] = []
        self.step = ""
        self._next = 0
        self._begun = 0.0
        self._pid = 0
        self._socket = str(folder / f"{name}.socket")
        self._listener = Listener(self._socket, family="AF_UNIX")
        self._errors = folder / name / "errors"
        with self._errors.open("ab") as errors:
            self._nest = subprocess.Popen(
                [sys.executable, racer.__file__], stdin=subprocess.PIPE, stderr=errors, text=True,
                env={**os.environ, **environment, "OPENBLAS_NUM_THREADS": "1"},
            )  # fmt: skip
        self.door: Connection

    def start(self) -> None:
        """Start its process; it waits for an order."""
        assert self._nest.stdin is not None
        self._nest.stdin.write(f"{self._socket} {self._home} {self.name}\n")
        self._nest.stdin.flush()
        self.door = self._listener.accept()
        while not self._pid:
            self.hear()

    def order(self, rounds: int = FOREVER) -> None:
        """Let it make changes; the first one is the one that was not saved, if there is any."""
        self.door.send((self._next, rounds))

    def hear(self) -> bool:
        """Take one report; return False after its end."""
        try:
            assert self.door.poll(LIMIT_S), self.errors
            kind, text, at = self.door.recv()
        except (EOFError, ConnectionResetError):
            self._pid = 0
            return False
        if kind == "ready":
            self._pid = int(text)
        elif kind == "begun":
            self._begun, self.step = at, "begin"
        elif kind == "step":
            self.step = text
        else:
            self.step = ""
            self._next += 1
            if kind == "saved":
                self.saved[text] = (self._begun, at)
            else:
                self.failures.append(text)
        return True

    def finish(self, number: int) -> None:
        """Wait until it has made this number of changes."""
        while self._next < number:
            assert self.hear(), self.errors

    def await_step(self, step: str) -> None:
        """Wait until it begins a step of a change."""
        while self.step != step:
            assert self.hear(), self.errors

    def kill(self) -> str:
        """Kill it; return the step that it was in, or an empty text."""
        os.kill(self._pid, signal.SIGKILL)
        while self.hear():
            pass
        self.door.close()
        step, self.step = self.step, ""
        return step

    @property
    def errors(self) -> str:
        """What it wrote on standard error."""
        return self._errors.read_text()

    def close(self) -> None:
        """End its processes."""
        if self._pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            self.door.close()
        assert self._nest.stdin is not None
        self._nest.stdin.close()
        self._nest.wait(30)
        self._listener.close()


def listen(studios: Iterable[RacingStudio], seconds: float) -> None:
    """Take the reports of studios for some time."""
    doors = {one.door: one for one in studios}
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        for door in wait(list(doors), left):
            assert isinstance(door, Connection)
            assert doors[door].hear(), doors[door].errors


def faults(registry: Registry) -> list[str]:
    """Return what does not fit together in one state of the registry of some racers."""
    assert registry.shared is not None
    with registry.shared.database.snapshot():  # they change it while it is looked at
        return (
            _faults_of_rows(registry)
            + _faults_of_alias(registry)
            + _faults_of_log(registry.shared.database)
        )


def _faults_of_rows(registry: Registry) -> list[str]:
    found = []
    numbers = sorted(one.number for one in registry.versions())
    if numbers != list(range(1, len(numbers) + 1)):
        found.append(f"version numbers {numbers}")
    names = [one.name for one in registry.variants()]
    if len(names) != len(set(names)):
        found.append("two variants have one name")
    times = [one.created for one in registry.releases("board")][::-1]
    if any(first >= second for first, second in itertools.pairwise(times)):
        found.append("two releases have one time")
    return found


def _faults_of_alias(registry: Registry) -> list[str]:
    model = registry.models()[0].id
    moves = registry.ledger.moves(model, "prod")[::-1]
    found = []
    befores = [None, *(move.version for move in moves[:-1])]
    if [move.before for move in moves] != befores[: len(moves)]:
        found.append("a move does not follow the one before it")
    aliases = registry.ledger.aliases(model)
    if [one.version for one in aliases] != [one.version for one in moves[-1:]]:
        found.append("the alias is not where the last move put it")
    return found


def _faults_of_log(database: Database) -> list[str]:
    """Return the tables whose new rows are not exactly those that the server has recorded."""
    found = []
    for table in ("variants", "versions", "releases", "moves"):
        rows = {str(row[0]) for row in database.all(f"SELECT id FROM {table}")}
        log = "SELECT key FROM changes WHERE subject = ? AND change = 'insert'"
        if sorted(rows) != sorted(str(row[0]) for row in database.all(log, (table,))):
            found.append(f"the log of {table} is not what the table has")
    return found


def lost(registry: Registry, studio: RacingStudio) -> list[str]:
    """Return what a studio has reported as saved, and the registry does not have."""
    saved = set(studio.saved)
    return sorted(
        f"{kind} {key}"
        for kind, known in {
            "version": {one.digest for one in registry.versions()},
            "release": {one.digest for one in registry.releases("board")},
            "target": {one.name for one in registry.targets()},
            "member": set(registry.groups.all().get(studio.name, [])),
        }.items()
        for key in saved - known
    )


def fetch_all(registry: Registry, known: set[str]) -> None:
    """Fetch each file that a row names and that was not fetched yet; its digest is checked."""
    for record in (*registry.variants(), *registry.versions()):
        if record.digest not in known:
            registry.fetch(record.path)
            known.add(record.digest)
