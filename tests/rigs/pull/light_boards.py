"""Many boards in one process: the real pull client, and a release machine that only takes note."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from studio.runtime.pull import client as pull_client
from studio.runtime.pull.client import PullClient
from studio.runtime.pull.container import Container
from studio.runtime.pull.errors import PullError, TryLater
from studio.runtime.pull.facts import version_name
from studio.runtime.pull.installation import Installed, StepReport
from studio.runtime.pull.settings import PullFolder, PullSettings
from studio.runtime.release.board import Board
from studio.runtime.release.store import state
from studio.runtime.release.store.layout import Layout
from studio.runtime.shared.errors import ReleaseError

GOOD, FAILING, ASLEEP, LYING = "good", "failing", "asleep", "lying"


class LightInstallation:
    """Checks each file of an artefact and notes the release; serves nothing."""

    kinds: ClassVar[dict[str, str]] = {}
    """What each board is, by its name."""

    worse: ClassVar[set[int]] = set()
    """Versions that every board takes back in its trial."""

    def __init__(self, layout: Layout, settings: PullSettings, *_: object) -> None:
        self._layout = layout
        self._name = settings.id
        self._board = Board(layout, "light")

    def run(self, container: Container, step: StepReport) -> Installed:
        """Verify, then commit or fail as the board is made to."""
        what = container.manifest
        for entry in what.files:
            digest = hashlib.sha256(b"".join(container.content(entry.digest))).hexdigest()
            if digest != entry.digest:
                raise ReleaseError("altered-file", f"The file {entry.name} differs.")
        step(1, "All files were verified.")
        now = self._board.state
        last = now.lines.get(what.name)
        if last is not None and what.counter <= last.counter and last.release != what.digest:
            raise ReleaseError("counter-back", "The release is older than the last one.")
        if what.version in self.worse:
            entry = self._board.note(what, "failed", reason="its trial found it worse")
            self._board.save(now.noted(entry))
            raise ReleaseError("soak-failed", "The release was worse than the one before.")
        if self.kinds.get(self._name) == FAILING and now.current:
            entry = self._board.note(what, "failed", reason="its golden samples differ")
            self._board.save(now.noted(entry))
            raise ReleaseError("probe-failed", "2 of 2 golden samples differ.")
        place = self._layout.release(what.digest)
        place.mkdir(parents=True, exist_ok=True)
        (place / "manifest.json").write_text(container.text)
        entry = self._board.note(what, "active")
        lines = state.advanced(now.lines, what.name, entry)
        self._board.save(
            now.noted(entry)._replace(
                current=what.digest, previous=now.current, counter=what.counter, lines=lines
            )
        )
        text = f"Version {what.version} of {what.name} serves (release {what.digest[:12]})."
        return Installed("active", (text,))


class LightFleet:
    """Boards that poll in a few threads.

    Attributes:
        polls: Polls that were answered.
        errors: Sentences of those that were not.
    """

    def __init__(self, folder: Path, server: str, kinds: Sequence[str], threads: int = 4) -> None:
        self.names = [f"board-{number:05}" for number in range(len(kinds))]
        self.kinds = dict(zip(self.names, kinds, strict=True))
        self.polls = 0
        self.errors: Counter[str] = Counter()
        self._folder, self._threads = folder, threads
        self._lock = threading.Lock()
        LightInstallation.kinds = self.kinds
        for name in self.names:
            layout = Layout(folder / name)
            layout.make()
            PullFolder(layout.root).write(
                PullSettings(server, "DEFAULT", name, plain=True, unsigned=True), ""
            )

    def __enter__(self) -> LightFleet:
        self._was = pull_client.Installation
        pull_client.Installation = LightInstallation  # type: ignore[assignment, misc]
        return self

    def __exit__(self, *_: object) -> None:
        pull_client.Installation = self._was  # type: ignore[misc]

    def of(self, *kinds: str) -> list[str]:
        """The names of boards of these kinds."""
        return [name for name in self.names if self.kinds[name] in kinds]

    def poll(self, names: Iterable[str]) -> None:
        """Let boards poll once, in any order."""
        left = list(names)
        random.Random(len(left)).shuffle(left)
        workers = [threading.Thread(target=self._work, args=(left,)) for _ in range(self._threads)]
        for one in workers:
            one.start()
        for one in workers:
            one.join()

    def poll_until(self, names: Sequence[str], done: Callable[[], bool], seconds: float) -> bool:
        """Let boards poll again and again; return whether they were done in time."""
        until = time.monotonic() + seconds
        while not done():
            if time.monotonic() > until:
                return False
            self.poll(names)
        return True

    def lie(self, name: str, version: int, counter: int, digest: str) -> None:
        """Report a release that the board does not have."""
        one = PullClient(self._folder / name, lambda _: None)
        facts = {"hw_boardname": "default", "sw_version": version_name(version, counter, digest)}
        path = one._settings.base + "/configData"
        one._connection.send("PUT", path, {"mode": "merge", "data": facts})
        one._connection.close()

    def current(self, name: str) -> str:
        """The release that a board serves."""
        return Board(Layout(self._folder / name), "").state.current

    def half_done(self, known: Iterable[str]) -> list[str]:
        """Boards that are in the midst of something, or whose log is broken."""
        whole, found = {*known, ""}, []
        for name in self.names:
            board = Board(Layout(self._folder / name), "")
            idle = board.state.phase == state.IDLE and board.state.current in whole
            parts = list((self._folder / name / "pull").glob("*.part"))
            if not idle or parts or board.journal.broken_at():
                found.append(name)
        return found

    def _work(self, left: list[str]) -> None:
        while True:
            with self._lock:
                if not left:
                    return
                name = left.pop()
            try:
                PullClient(self._folder / name, lambda _: None).poll()
            except (TryLater, PullError) as error:
                with self._lock:
                    self.errors[str(error)] += 1
            else:
                with self._lock:
                    self.polls += 1
