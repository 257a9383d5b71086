"""Installation of an artefact by the release machine, and the sentences on its outcome."""

from __future__ import annotations

import json
import sys
from typing import Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from ..release.board import Board
from ..release.store.layout import Layout
from ..shared.errors import ReleaseError
from ..shared.records import read
from .artefact import Artefact
from .release_machine import ReleaseMachine, framed
from .settings import PullSettings

STEPS = 6
JUDGED = ("probe-failed", "soak-failed", "not-ready")
"""Codes of failures that are those of the release and not of the moment."""


StepReport = Callable[[int, str], None]
"""Receiver of the number of each step and a sentence."""


class Installed(NamedTuple):
    """Outcome of an installation: the machine's state, and the sentences for the server."""

    state: str
    details: Tuple[str, ...]


class _Order(NamedTuple):
    """Order of an older release.

    Attributes:
        orders: Its signature for each release from which a board may go back.
    """

    downgrade: str = ""
    orders: Mapping[str, str] = {}


class _Missing(NamedTuple):
    """Blobs that the board lacks, with their sizes."""

    missing: Mapping[str, int] = {}


class _Switched(NamedTuple):
    """Answer to a switch."""

    state: str = ""
    soak: Optional[Mapping[str, object]] = None


class _Binding(NamedTuple):
    """How the release before is run."""

    env: str = ""
    python: str = ""


class Installation:
    """One artefact on its way through the release machine."""

    def __init__(
        self, layout: Layout, settings: PullSettings, machine: ReleaseMachine, owner: str
    ) -> None:
        self._layout = layout
        self._settings = settings
        self._machine = machine
        self._board = Board(layout, owner)

    def run(self, artefact: Artefact, step: StepReport) -> Installed:
        """Install a release: the same verbs in the same order as a deploy of the studio.

        Args:
            step: Called with the number of each step and a sentence.

        Raises:
            ReleaseError: why it could not be installed; the release before serves.
        """
        self._require_signature()
        self._require_model(artefact.manifest.name)
        runtime = self._machine.place_runtime()
        what = artefact.manifest
        self._machine.begin(what.digest)
        try:
            step(1, "Version {} of {} is being taken in.".format(what.version, what.name))
            self._receive(artefact)
            step(2, "All files have arrived and were verified.")
            staged = self._machine.call("stage", self._stage_request(artefact, runtime))
            signer = str(staged.get("signer") or "")
            step(3, "The release is staged{}.".format(", signed by " + signer if signer else ""))
            if self._board.state.current != what.digest:
                probed = self._machine.call("probe", {"release": what.digest})
                step(4, _probe_sentence(probed))
            done = self._machine.call("switch", self._switch_request(artefact))
            step(5, "The release serves.")
            self._machine.call("gc", {})
            return _installed(artefact, done)
        finally:
            self._machine.end()

    def _require_model(self, name: str) -> None:
        """Refuse what a signer of this board has signed for another fleet."""
        if self._settings.model not in ("", name):
            raise ReleaseError(
                "another-model",
                "This board takes releases of {} only, not of {}.".format(
                    self._settings.model, name
                ),
            )

    def _require_signature(self) -> None:
        if self._settings.unsigned or self._layout.allowed_signers() is not None:
            return
        raise ReleaseError(
            "unsigned",
            "This board has no allowed signers, and takes no unsigned release from a server.",
        )

    def _receive(self, artefact: Artefact) -> None:
        sizes = {entry.digest: entry.size for entry in artefact.manifest.files}
        found = read(_Missing, self._machine.call("missing", {"blobs": sizes}))
        blobs = [{"sha256": one, "bytes": sizes[one]} for one in found.missing if one in sizes]
        if blobs:
            names = [str(one["sha256"]) for one in blobs]
            self._machine.call("receive", {"blobs": blobs}, frames=_frames(artefact, names))

    def _stage_request(self, artefact: Artefact, runtime: str) -> Dict[str, object]:
        return {
            "manifest": artefact.text,
            "signature": artefact.signature,
            "runtime": runtime,
            "replace": True,
            **self._interpreter(),
            **self._order(artefact),
        }

    def _order(self, artefact: Artefact) -> Dict[str, str]:
        """Return the order of an older release that fits the last one of this board."""
        found, name = _order(artefact), artefact.manifest.name
        last = self._board.state.lines.get(name)
        signed = found.orders if isinstance(found.orders, dict) else {}
        signature = signed.get(last.release) if last is not None else None
        return {"downgrade": found.downgrade, "order": str(signature or "")}

    def _interpreter(self) -> Dict[str, str]:
        """Return the interpreter of the release before, else that of the settings."""
        current = self._board.state.current
        if current:
            binding = read(_Binding, self._board.binding(current)._asdict())
            return {"env": binding.env} if binding.env else {"python": binding.python}
        return {"python": self._settings.python or sys.executable}

    def _switch_request(self, artefact: Artefact) -> Dict[str, object]:
        settings = self._settings
        request: Dict[str, object] = {
            "release": artefact.manifest.digest,
            "soak_s": settings.soak_s,
            "quality": dict(settings.rule or {}) if settings.trial else None,
            **self._order(artefact),
        }
        if not self._board.state.current:
            request.update({"host": settings.host, "usual_port": settings.port})
        return request


def trial_sentences(evidence: Mapping[str, object]) -> List[str]:
    """Return the verdicts of a trial for people, and all of its evidence in one line of JSON."""
    tests = evidence.get("tests")
    rows = [one for one in tests if isinstance(one, dict)] if isinstance(tests, list) else []
    lines = [
        "Trial: {} is {}: {}.".format(r.get("test"), r.get("says"), r.get("text")) for r in rows
    ]
    return [*lines, "evidence " + json.dumps(evidence, sort_keys=True)] if rows else []


def failure_sentences(error: ReleaseError) -> List[str]:
    """Return what became of a release that was not taken."""
    lines = ["{} ({})".format(error.message, error.code)]
    if error.code == "soak-failed":
        try:
            found = json.loads(error.detail or "{}")
        except ValueError:
            found = {}
        lines += trial_sentences(found if isinstance(found, dict) else {})
    return [*lines, "The release before serves on, if there was one."]


def _frames(artefact: Artefact, names: List[str]) -> Iterator[bytes]:
    for name in names:
        yield from framed(artefact.content(name))


def _order(artefact: Artefact) -> _Order:
    if not artefact.order:
        return _Order()
    try:
        return read(_Order, json.loads(artefact.order))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        raise ReleaseError(
            "bad-order", "The artefact's order of an older release is unreadable."
        ) from None


def _probe_sentence(probed: Mapping[str, object]) -> str:
    return "{} golden samples agree, {} ms a request.".format(
        probed.get("samples"), probed.get("latency_ms")
    )


def _installed(artefact: Artefact, done: Mapping[str, object]) -> Installed:
    answer, what = read(_Switched, done), artefact.manifest
    now = "serves already" if answer.state == "unchanged" else "serves"
    sentence = "Version {} of {} {} (release {})."
    lines = [sentence.format(what.version, what.name, now, what.digest[:12])]
    return Installed(answer.state, (*lines, *trial_sentences(answer.soak or {})))
