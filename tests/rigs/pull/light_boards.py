"""Many boards in one process: the real pull client, and a release machine that only takes note.

Its trial is the real rule over answers that are drawn: 1 of 200 differs for a good release, and 3
of 20 for a worse one.
"""

from __future__ import annotations

import hashlib
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from studio.runtime.pull import client as pull_client
from studio.runtime.pull.action_state import load
from studio.runtime.pull.client import PullClient
from studio.runtime.pull.container import Container
from studio.runtime.pull.ddi import action_id, feedback, poll_of
from studio.runtime.pull.errors import PullError, TryLater
from studio.runtime.pull.facts import version_name
from studio.runtime.pull.installation import Installed, StepReport
from studio.runtime.pull.settings import PullFolder, PullSettings
from studio.runtime.release.board import Board
from studio.runtime.release.store import state
from studio.runtime.release.store.layout import Layout
from studio.runtime.release.trial.decision import Counts, TrialDecision, TrialRule, decision
from studio.runtime.shared import manifest as form
from studio.runtime.shared.errors import ReleaseError
from studio.runtime.shared.manifest import Manifest

GOOD, FAILING, ASLEEP, LYING = "good", "failing", "asleep", "lying"
_DIFFER, _WORSE_DIFFER = 0.005, 0.15
_CHECK, _LONGEST = 20, 2000
"""Answers between two looks of a trial, and at most."""


def trial(name: str, what: Manifest, worse: bool) -> tuple[str, dict[str, object]]:
    """Judge drawn answers by the rule of a real trial; return its decision and the evidence."""
    draw, share = random.Random(f"{name} {what.digest}"), _WORSE_DIFFER if worse else _DIFFER
    rule, events = TrialDecision(TrialRule(judge="agreement")), 0
    for of in range(_CHECK, _LONGEST + 1, _CHECK):
        events += sum(draw.random() < share for _ in range(_CHECK))
        findings = rule.findings({"agreement": Counts(events, of)})
        if decision(findings) != "open":
            break
    return decision(findings), {"tests": [one._asdict() for one in findings]}


def commit(board: Board, layout: Layout, what: Manifest, text: str) -> None:
    """Note a release as the one that is served."""
    place = layout.release(what.digest)
    place.mkdir(parents=True, exist_ok=True)
    (place / "manifest.json").write_text(text)
    now, entry = board.state, board.note(what, "active")
    lines = state.advanced(now.lines, what.name, entry)
    board.save(
        now.noted(entry)._replace(
            current=what.digest, previous=now.current, counter=what.counter, lines=lines
        )
    )


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
        if self.kinds.get(self._name) == FAILING and now.current:
            self._fail(what, "probe-failed", "2 of 2 golden samples differ.")
        if now.current:
            says, evidence = trial(self._name, what, what.version in self.worse)
            if says == "bad":
                self._fail(what, "soak-failed", "It was worse.", json.dumps(evidence))
        commit(self._board, self._layout, what, container.text)
        text = f"Version {what.version} of {what.name} serves (release {what.digest[:12]})."
        return Installed("active", (text,))

    def _fail(self, what: Manifest, code: str, reason: str, detail: str = "") -> None:
        entry = self._board.note(what, "failed", reason=reason)
        self._board.save(self._board.state.noted(entry))
        raise ReleaseError(code, reason, "", detail)


class LightFleet:
    """Boards that poll in a few threads.

    Attributes:
        polls: Polls that were answered.
        errors: Sentences of those that were not.
    """

    def __init__(
        self, folder: Path, server: str, kinds: Sequence[str], first: bytes, threads: int = 4
    ) -> None:
        """Make the boards that are missing; each serves a first release, as after a deploy by SSH.

        Args:
            first: The manifest of that release.
        """
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
            board = Board(layout, "light")
            if not board.state.current:
                commit(board, layout, form.parse(first), first.decode())

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

    def lie(self, name: str, version: int, counter: int, digest: str, success: bool) -> None:
        """Report a release that the board does not have.

        Args:
            success: Whether it also reports the success of the action that it is offered.
        """
        one = PullClient(self._folder / name, lambda _: None)
        base, send = one._settings.base, one._connection.send
        facts = {"hw_boardname": "default", "sw_version": version_name(version, counter, digest)}
        link = poll_of(one._connection.get(base)).links.get("deploymentBase", "")
        if success and link:
            action = action_id(link.partition("?")[0].rpartition("/")[2])
            document = feedback(action, "closed", "success", ["Of course."])
            send("POST", f"{base}/deploymentBase/{action}/feedback", document)
        send("PUT", base + "/configData", {"mode": "merge", "data": facts})
        one._connection.close()

    def current(self, name: str) -> str:
        """The release that a board serves."""
        return Board(Layout(self._folder / name), "").state.current

    def half_done(self, known: Iterable[str]) -> dict[str, str]:
        """Boards that are in the midst of something, or whose log is broken, with the reason."""
        whole, found = {*known, ""}, {}
        for name in self.names:
            why = self._unfinished(name, whole)
            if why:
                found[name] = why
        return found

    def _unfinished(self, name: str, whole: set[str]) -> str:
        layout = Layout(self._folder / name)
        board, pull = Board(layout, ""), PullFolder(layout.root)
        if board.state.phase != state.IDLE or board.state.current not in whole:
            return f"phase {board.state.phase}, serves {board.state.current[:12]}"
        if board.journal.broken_at():
            return "its log is broken"
        if list(pull.folder.glob("*.part")):
            return "a download was left"
        if not load(pull).reported or load(pull).installing:
            return "an action is open"
        staged = {one.name for one in layout.releases.iterdir()}
        if not staged <= whole or board.manifest(board.state.current).digest not in whole:
            return "a release is there that should not be"
        return ""

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
