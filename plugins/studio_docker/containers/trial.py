"""Trials of a release at an engine, in its own container, compared with the previous release.

The earlier bundle is copied inside the engine, into the volume that gate and releases share. A
process next to the new server then watches and decides (``gate trial`` of the runtime): it needs
neither a network nor this program, which only listens.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from docker.models.containers import Container

from studio.api import Cancelled, Parcel, Progress, TakenBack, TargetError
from studio_docker.containers.history import ContainerRelease, ReleaseHistory, poll
from studio_docker.containers.names import EngineNames
from studio_docker.containers.releases import PROGRAM
from studio_docker.engine.client import Engine, parse_json
from studio_docker.image.contents import BUNDLE, TURNS

FOLDER = f"{TURNS}/trial"
"""The folder that the runtime's ``gate.note`` uses."""
NOTE = f"{FOLDER}/trial.json"

# By the Python of an image that an older studio may have made.
_COPY = """\
import os, shutil, sys
source, root, name = sys.argv[1:]
shutil.rmtree(root, ignore_errors=True)
folder = os.path.join(root, "releases", name)
os.makedirs(os.path.dirname(folder))
shutil.copytree(source, folder)
for base, _, _ in os.walk(root):
    os.chmod(base, 0o777)
"""
_FORGET = "import shutil, sys; shutil.rmtree(sys.argv[1], ignore_errors=True)"
_WORSE = "The release was rolled back after the switch: {}."
_BACK = "The previous release is running again."
_END_S = 10.0
_POLL_S = 0.2
_ENDED = "its server ended while it was on trial"
_CANCELLED = "its trial was cancelled"
_ROLLED_BACK = "its trial was ended by a rollback"
_ASKED = (_CANCELLED, _ROLLED_BACK)
"""Reasons at which the process in the container still runs."""
_CUT_OFF = "its trial was cut off"


@dataclass(frozen=True, slots=True)
class Trial:
    """Trial settings of a deploy.

    Attributes:
        seconds: The longest that it takes; None where quality is not judged.
        rule: What its rule has that is not as usual.
        share: Of a core, for comparing answers from then on.
    """

    seconds: float | None = None
    rule: Mapping[str, str] = field(default_factory=dict)
    share: float = 0.0

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Trial:
        """Return the trial in the options of a deploy, if any."""
        asked, share = options.get("trial"), float(options.get("agreement") or 0.0)
        if asked is None:
            return cls(share=share)
        return cls(float(asked["seconds"]), dict(asked["rule"]), share)


class Trials:
    """Holds the trials of one place."""

    def __init__(self, engine: Engine, place: EngineNames, progress: Progress) -> None:
        self._engine = engine
        self._place = place
        self._progress = progress

    def run(
        self, container: Container, parcel: Parcel, trial: Trial, before: ContainerRelease | None
    ) -> Mapping[str, Any]:
        """Give a release its turn, and watch it; the evidence of one that is kept.

        Raises:
            TakenBack: when it was worse; the one before has its turn again.
        """
        if before is not None:
            self.lay_out(before)
        began = time.monotonic()
        words = self._words(parcel, trial, before)
        try:
            for line in self._lines(container, words):
                if line["event"] == "turn":
                    self._progress.log(
                        "The new release has the port; the previous release stands by"
                    )
                elif line["event"] == "progress":
                    self._progress.progress(line["done"], line["total"], line["text"])
                elif line["event"] == "error":
                    raise _error(line)
                elif line["event"] == "result":
                    return dict(line["soak"])
            raise self._ended(parcel.digest, time.monotonic() - began)
        except BaseException as error:
            gate = poll(self._engine, self._place).gate
            if gate is not None and gate.status == "running":  # otherwise all was stopped since
                reason = _CANCELLED if isinstance(error, Cancelled) else _ENDED
                self._give_back(gate, parcel.digest, before, reason)
            raise

    def _words(self, parcel: Parcel, trial: Trial, before: ContainerRelease | None) -> list[str]:
        words = ["gate", "trial", parcel.digest, "--folder", f"/{TURNS}", "--owner", parcel.owner]
        words += ["--rule", json.dumps(dict(trial.rule)), "--seconds", str(trial.seconds)]
        words += ["--share", str(trial.share)]
        if before is not None:
            words += ["--before", before.release]
            words += ["--adrift"] if self._is_adrift(before) else []
        return words

    def _lines(self, container: Container, words: list[str]) -> Iterator[Mapping[str, Any]]:
        """Yield the lines of the process in the container; the user may cancel at each."""
        for text in self._engine.stream(container, *PROGRAM, *words):
            self._progress.check()
            try:
                line = json.loads(text)
                line["event"]
            except (ValueError, KeyError, TypeError):
                self._progress.log(text)
                continue
            yield line

    def lay_out(self, before: ContainerRelease) -> None:
        """Put the bundle of a release where the server on trial finds it.

        Raises:
            TargetError: when there is no room for it.
        """
        words = ("python3", "-I", "-c", _COPY, f"/{BUNDLE}", f"/{FOLDER}", before.release)
        status, text = self._engine.execute(before.container, *words)
        if status:
            self.forget(before.container)
            raise TargetError(
                "The release that serves cannot be put beside the new one.",
                hint="See whether the engine's disk is full.",
                detail=text,
            )

    def compare(
        self, container: Container, parcel: Parcel, trial: Trial, before: ContainerRelease | None
    ) -> None:
        """Let a release go on comparing its answers with the one before, which was laid out."""
        if before is None:
            return
        words = ["gate", "compare", parcel.digest, "--folder", f"/{TURNS}"]
        words += ["--before", before.release, "--share", str(trial.share)]
        status, text = self._engine.execute(container, *PROGRAM, *words)
        if status:
            raise TargetError("The answers of both releases cannot be compared.", detail=text)

    def forget(self, container: Container) -> None:
        """Remove the files of the comparison, which ends it."""
        self._engine.execute(container, "python3", "-I", "-c", _FORGET, f"/{FOLDER}")

    def _is_adrift(self, before: ContainerRelease) -> bool:
        """Return whether the release that serves sees other things than its reference data."""
        status, text = self._engine.execute(before.container, *PROGRAM, "health", "--status")
        if status:  # it does not tell, and lets clients keep their connections
            self._progress.log("An older studio made what serves: see that clients connect anew")
            return False
        told = parse_json(text, "The release that serves")
        return bool((told.get("drift") or {}).get("alarm"))

    def _ended(self, release: str, seconds: float) -> TakenBack:
        """Return the error of a container that ended with its trial, or of a rollback."""
        history = poll(self._engine, self._place)
        lost = [one for one in history.lost if one.release == release]
        reason = lost[-1].reason if lost and self._note(history) is None else _ENDED
        evidence = {"decision": "taken back", "reason": reason, "seconds": round(seconds, 2)}
        hint = f"{_BACK} On trial it holds two models: see whether its memory does for both."
        return TakenBack(
            _WORSE.format(reason),
            hint=hint if reason == _ENDED else _BACK,
            detail=json.dumps(evidence),
        )

    def _give_back(
        self, gate: Container, release: str, before: ContainerRelease | None, reason: str
    ) -> None:
        """Switch back to the previous release, unless another process has decided."""
        mine = (release, before.release if before else "")
        if (self._engine.read(gate, f"/{TURNS}/current") or b"").decode() not in mine:
            return
        if reason in _ASKED and self._request_end(gate, reason):
            return
        where = before.container if before else gate
        if not self._engine.state(where).get("Running"):
            self._engine.start(where)
        folder = ("--folder", f"/{TURNS}")
        told = ("--reason", reason)
        self._engine.execute(where, *PROGRAM, "gate", "back", release, *told, *folder)
        self._engine.execute(where, *PROGRAM, "gate", "turn", mine[1], *folder)
        self.forget(where)

    def _request_end(self, gate: Container, reason: str) -> bool:
        """Let the process inside give the turn back: it does so at once, whatever ends here."""
        if self._engine.read(gate, f"/{NOTE}") is None:
            return False
        self._engine.write(gate, f"/{FOLDER}", "end", reason.encode(), 0o444)
        deadline = time.monotonic() + _END_S
        while time.monotonic() < deadline:
            if self._engine.read(gate, f"/{NOTE}") is None:
                return True
            time.sleep(_POLL_S)
        return False

    def end(self, history: ReleaseHistory, reason: str = _ROLLED_BACK) -> ContainerRelease | None:
        """Roll back a trial, running or interrupted; return the release that serves again."""
        note = self._note(history)
        if note is None or history.gate is None:
            return None
        held = {one.release: one for one in history.held}
        before = held.get(str(note["before"]))
        self._give_back(history.gate, str(note["release"]), before, reason)
        return before

    def recover(self, history: ReleaseHistory) -> None:
        """Roll back a trial that no process watches any more.

        Raises:
            TargetError: while a trial is running.
        """
        note = self._note(history)
        if note is None:
            return
        release, left = str(note["release"]), float(note["until"]) - time.time()
        held = {one.release: one for one in history.held}
        if release in held and held[release].running and left > 0.0:
            raise TargetError(
                f"Version {held[release].version} is on trial at docker:{self._place.name}.",
                hint=f"It is decided within {left:.0f} s; or take it back with studio rollback.",
            )
        self._progress.log("The trial of an earlier deploy was interrupted. Rolling it back")
        self.end(history, _CUT_OFF)

    def _note(self, history: ReleaseHistory) -> Mapping[str, Any] | None:
        content = self._engine.read(history.gate, f"/{NOTE}") if history.gate else None
        if content is None:
            return None
        found = parse_json(content.decode("utf-8", "replace"), "The note of a trial")
        return dict(found)


def _error(line: Mapping[str, Any]) -> TargetError:
    kind = TakenBack if line.get("code") == "soak-failed" else TargetError
    return kind(
        str(line["message"]),
        hint=str(line.get("hint") or ""),
        detail=str(line.get("detail") or ""),
    )
