"""The state of the release machine, and its one file."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any, NamedTuple

from ...shared.chained_log import Journal
from ...shared.files import write_atomically
from ...shared.log_segments import CONTINUED
from .latest_releases import Lines, advanced, lines_of
from .layout import Layout

IDLE = "idle"
RECEIVE = "receive"
VERIFY = "verify"
STAGE = "stage"
PROBE = "probe"
SWITCH = "switch"
SOAK = "soak"
PHASES = (IDLE, RECEIVE, VERIFY, STAGE, PROBE, SWITCH, SOAK)
UNCOMMITTED = (SWITCH, SOAK)
"""Phases in which ``current`` may point to a release that has not proved itself."""

_HISTORY = 100


class ReleaseState(NamedTuple):
    """What is decided; ``current`` (the link) follows it.

    Attributes:
        phase: The step that is about to be done, written before it is done.
        pending: Digest of the release under way.
        current, previous: Digests of the release that is served, and of the one before.
        counter: Release counter of the current release; what runtimes from before the lines go by.
        lines: Of each model, its last release here (see ``lines``).
        history: What became of each release, the oldest first; the whole record is the journal.
    """

    phase: str = IDLE
    pending: str = ""
    current: str = ""
    previous: str = ""
    counter: int = 0
    lines: Lines = MappingProxyType({})
    history: tuple[dict[str, Any], ...] = ()

    def at(self, phase: str, pending: str) -> ReleaseState:
        """The same, about to do a phase."""
        return self._replace(phase=phase, pending=pending)

    def noted(self, entry: dict[str, Any]) -> ReleaseState:
        """The same, with an entry of history added."""
        return self._replace(history=(*self.history, entry)[-_HISTORY:])

    @property
    def kept(self) -> tuple[str, ...]:
        """The releases that must stay on the disk."""
        return tuple(digest for digest in (self.current, self.previous, self.pending) if digest)


def load(layout: Layout) -> ReleaseState:
    """Read the state; a damaged or lost file is made again from the journal."""
    try:
        raw = json.loads(layout.state.read_bytes())
        state = ReleaseState(
            phase=str(raw["phase"]),
            pending=str(raw["pending"]),
            current=str(raw["current"]),
            previous=str(raw["previous"]),
            counter=int(raw["counter"]),
            lines=lines_of(raw),
            history=tuple(dict(entry) for entry in raw["history"]),
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return _remembered(layout)
    return state if state.phase in PHASES else state._replace(phase=IDLE)


def _remembered(layout: Layout) -> ReleaseState:
    """What the journal tells, so that neither the counter nor what is served is forgotten."""
    state, before = ReleaseState(), ReleaseState()
    for number, entry in enumerate(Journal(layout.log, layout.sealed).readable()):
        if not number and entry.get("event") == CONTINUED:
            state = before = _carried(entry)
        if entry.get("event") == "recovered" and entry.get("release") == state.current:
            state = before  # it was noted, and then not kept
        if entry.get("event") == "purged":
            state = before = ReleaseState(history=state.history)
        if entry.get("event") == "release":
            state, before = _after(state, entry), state
    linked = layout.linked()
    if not linked or linked == state.current:
        return state
    # A switch was under way, or the journal is lost as well.
    return state.at(SWITCH, linked) if state.current else state._replace(current=linked)


def _carried(entry: dict[str, Any]) -> ReleaseState:
    """What the parts of the record that were dropped had told."""
    return ReleaseState(
        current=str(entry.get("current") or ""),
        previous=str(entry.get("previous") or ""),
        counter=int(entry.get("counter") or 0),
        lines=lines_of({"lines": entry.get("lines") or {}}),
    )


def _after(state: ReleaseState, entry: dict[str, Any]) -> ReleaseState:
    release, outcome = str(entry.get("release") or ""), entry.get("state")
    if outcome == "removed":
        state = state._replace(current="", previous=release)
    if outcome == "active":
        previous = state.current if state.current != release else state.previous
        counter = int(entry.get("counter") or 0)
        lines = advanced(state.lines, str(entry.get("name") or ""), entry)
        state = state._replace(current=release, previous=previous, counter=counter, lines=lines)
    names = ("release", "name", "version", "counter", "state", "at", "owner", "reason")
    return state.noted({name: entry[name] for name in names if name in entry})


def save(layout: Layout, state: ReleaseState) -> None:
    """Write the state whole, and flush it."""
    content = dict(state._asdict(), lines=dict(state.lines))
    text = json.dumps(content, sort_keys=True, indent=1) + "\n"
    write_atomically(layout.state, text.encode())
