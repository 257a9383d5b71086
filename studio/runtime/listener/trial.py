"""Trial of a release in its container: it gets the turn, and gives it back when it is worse.

Runs next to the server, inside the same container: the decision does not need the studio, whose
connection may be lost. The rule, the counts and the evidence are those of a board's soak.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Callable, Dict, Mapping, NamedTuple

from ..release.trial.decision import LONGEST, TrialDecision, TrialRule, rule_of
from ..release.trial.soak import (
    ReleaseTrial,
    ServerStatus,
    evidence_of,
    failed,
    request_of,
    shadow_of,
    status_of,
)
from ..serve import local_server
from ..serve.contracts.environment import BUNDLE
from ..shared import manifest, trial_note
from ..shared.errors import ReleaseError
from ..shared.files import write_atomically
from ..shared.listener_turns import Turns
from ..shared.records import read
from ..shared.trial_request import FILE

_LOAD_S = 60.0
_TURN_S = 60.0
_POLL_S = 0.1

Tell = Callable[[Dict[str, object]], None]


class RequestedTrial(NamedTuple):
    """Trial that the studio requests of a container.

    Attributes:
        before: Digest of the release that serves; empty where none does.
        rule: The values of the rule that differ from the defaults.
        seconds: The longest that it takes.
        adrift: Whether the release before saw drift.
        share: Of a core, for comparing answers after the trial.
    """

    release: str
    before: str
    owner: str
    rule: Mapping[str, object]
    seconds: float
    adrift: bool = False
    share: float = 0.0


class ContainerServer:
    """The server of this container, as a soak asks it."""

    ended = trial_note.ENDED

    def __init__(self) -> None:
        self.options = local_server.served()

    def runs(self) -> bool:
        """It is the container's first process: nothing here outlives it."""
        return True

    def report(self) -> Mapping[str, object]:
        """Return where it listens in addition to the gate's port."""
        return {"scheme": "http", "host": "127.0.0.1", "port": self.options.port}

    def token(self) -> str:
        """What it wants to be shown."""
        return local_server.token(self.options)

    def bundle(self) -> manifest.Manifest:
        """What it serves."""
        return manifest.read(Path(self.options.bundle or os.environ.get(BUNDLE, "")))


class _Notes(NamedTuple):
    """Where its server looks for notes."""

    run: Path


def run_trial(turns: Turns, asked: RequestedTrial, tell: Tell) -> Dict[str, object]:
    """Give the release the turn, watch it, and keep it or give the turn back.

    Args:
        tell: Receives a line for each step and each second, as ``event`` and its values.

    Returns:
        The evidence of a release that is kept.

    Raises:
        ReleaseError: ``soak-failed`` for one that was rolled back, with the evidence as detail;
            others before anything changed.
    """
    folder = turns.folder
    quality = TrialDecision(rule_of(asked.rule))
    server = ContainerServer()
    what = server.bundle()
    _check(trial_note.root_of(folder), asked.before)
    until = trial_note.late(LONGEST * asked.seconds)
    mine = trial_note.TrialNote(
        asked.release, asked.before, asked.owner, until, what.name, what.version
    )
    notes = _Notes(trial_note.root_of(folder) / "run")
    soak = ReleaseTrial(server, notes, asked.release, asked.before, asked.adrift)
    try:
        trial_note.begin(folder, mine)
        _load_beside(server, notes.run, asked, quality.rule)
        _go_on(folder, {})
        _give(turns, asked.release, asked.owner)
        tell({"event": "turn"})
        found = soak.run(quality, asked.seconds, _TrialProgress(turns, mine, asked.seconds, tell))
    except ReleaseError as error:
        if trial_note.read(folder) == mine:  # otherwise others have decided
            if turns.current() == asked.release:
                _give_back(turns, mine)
            if error.code == "soak-failed":
                trial_note.record(folder, "soak", **{**mine.facts(), **evidence_of(error)})
            trial_note.end(folder)
        raise
    trial_note.record(folder, "soak", **{**mine.facts(), **found})
    trial_note.end(folder, asked.share, asked.release, asked.before)
    return found


def _go_on(folder: Path, told: Mapping[str, Any]) -> None:
    reason = trial_note.why_end(folder)
    if reason:
        raise failed(reason, told)


class _TrialProgress:
    """Progress of a trial, reported every second; it ends a trial that others have decided."""

    def __init__(
        self, turns: Turns, mine: trial_note.TrialNote, seconds: float, tell: Tell
    ) -> None:
        self._turns = turns
        self._mine = mine
        self._seconds = seconds
        self._tell = tell
        self._next = 0.0

    def __call__(self, told: Mapping[str, Any]) -> None:
        _go_on(self._turns.folder, told)
        if told["seconds"] < self._next:
            return
        self._next = told["seconds"] + 1.0
        if self._turns.current() != self._mine.release or not self._is_on():
            sentence = "Another release was served while this one was on trial."
            raise ReleaseError("superseded", sentence, "Deploy it again.")
        says = ", ".join("{test} {says}".format(**one) for one in told["tests"])
        done = min(told["seconds"], self._seconds)
        text = "In trial against the previous release: {}".format(says)
        self._tell({"event": "progress", "done": done, "total": self._seconds, "text": text})

    def _is_on(self) -> bool:
        return trial_note.read(self._turns.folder) == self._mine


def compare(turns: Turns, release: str, before: str, share: float) -> None:
    """Go on comparing answers with the release before, without a trial."""
    _check(trial_note.root_of(turns.folder), before)
    trial_note.begin(turns.folder, trial_note.TrialNote(release, before, "", 0.0))
    trial_note.end(turns.folder, share, release, before)


def _check(root: Path, before: str) -> None:
    """That what the server is going to load is what was served."""
    if not before:
        return
    folder = root / "releases" / before
    what = manifest.read(folder)
    if what.digest != before:
        raise ReleaseError("wrong-release", "The previous release does not match its digest.")
    manifest.verify(folder, what)


def _load_beside(
    server: ContainerServer, run: Path, asked: RequestedTrial, rule: TrialRule
) -> None:
    """Let the server load the other release before clients come: memory may not do for both."""
    if not asked.before:
        return
    write_atomically(run / FILE, request_of(asked.release, asked.before, rule).content())
    deadline = time.monotonic() + _LOAD_S
    while time.monotonic() < deadline:
        shadow = shadow_of(read(ServerStatus, status_of(server, asked.release)))
        if shadow.loaded or shadow.fault:
            return
        time.sleep(_POLL_S)


def _give(turns: Turns, release: str, owner: str) -> None:
    turns.give(release, owner)
    if release and not turns.wait_until_taken(release, _TURN_S):
        raise ReleaseError("no-turn", "The release did not take over the port.")


def _give_back(turns: Turns, mine: trial_note.TrialNote) -> None:
    """The release before answers again; where it does not, a worse one is better than none."""
    try:
        _give(turns, mine.before, mine.owner)
    except ReleaseError as error:
        turns.give(mine.release, mine.owner)
        trial_note.record(turns.folder, "restore-failed", reason=str(error), **mine.facts())
