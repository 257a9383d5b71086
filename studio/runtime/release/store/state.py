"""State of the release machine, and its one file."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Mapping, NamedTuple, Tuple

from ...shared.chained_log import Journal
from ...shared.files import write_atomically
from ...shared.log_segments import CONTINUED
from ...shared.records import read
from .latest_releases import Lines, advanced, lines_of, to_json
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
    """Decided state of the releases; the link ``current`` follows it.

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
    history: Tuple[Mapping[str, object], ...] = ()

    def at(self, phase: str, pending: str) -> ReleaseState:
        """Return the state before a phase is done."""
        return self._replace(phase=phase, pending=pending)

    def noted(self, entry: Mapping[str, object]) -> ReleaseState:
        """Return the state with an entry added to its history."""
        return self._replace(history=(*self.history, entry)[-_HISTORY:])

    @property
    def retained(self) -> tuple[str, ...]:
        """Releases that must stay on the disk."""
        return tuple(digest for digest in (self.current, self.previous, self.pending) if digest)


class JournalEntry(NamedTuple):
    """Entry of the journal, as far as the state follows from it.

    Attributes:
        event: ``release``, ``recovered``, ``purged``, or that an earlier part is continued.
        state: What became of a release: ``active``, ``removed``, ``failed``, ``rolled back``.
    """

    event: str = ""
    release: str = ""
    state: str = ""
    name: str = ""
    counter: int = 0
    current: str = ""
    previous: str = ""


_WRITTEN = frozenset(ReleaseState._fields) - {"lines"}
"""Keys of every state file; earlier runtimes wrote no lines."""


def load(layout: Layout) -> ReleaseState:
    """Read the state; a damaged or lost file is made again from the journal."""
    try:
        raw = json.loads(layout.state.read_bytes())
        if not set(raw) >= _WRITTEN:
            return _remembered(layout)
        state = read(ReleaseState, raw)
        history = tuple(dict(entry) for entry in state.history)
        state = state._replace(lines=lines_of(raw), history=history)
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return _remembered(layout)
    return state if state.phase in PHASES else state._replace(phase=IDLE)


def _remembered(layout: Layout) -> ReleaseState:
    """Return the state from the journal, with the counter and the served release."""
    state, before = ReleaseState(), ReleaseState()
    for number, entry in enumerate(Journal(layout.log, layout.sealed).readable()):
        known = read(JournalEntry, entry)
        if not number and known.event == CONTINUED:
            state = before = _carried(known, entry)
        if known.event == "recovered" and known.release == state.current:
            state = before  # it was noted, and then not kept
        if known.event == "purged":
            state = before = ReleaseState(history=state.history)
        if known.event == "release":
            state, before = _after(state, known, entry), state
    linked = layout.linked()
    if not linked or linked == state.current:
        return state
    # A switch was under way, or the journal is lost as well.
    return state.at(SWITCH, linked) if state.current else state._replace(current=linked)


def _carried(known: JournalEntry, entry: Mapping[str, object]) -> ReleaseState:
    """Return the facts of the dropped segments of the record."""
    return ReleaseState(
        current=known.current,
        previous=known.previous,
        counter=known.counter,
        lines=lines_of({"lines": {}, **entry}),
    )


def _after(state: ReleaseState, known: JournalEntry, entry: Mapping[str, object]) -> ReleaseState:
    release, outcome = known.release, known.state
    if outcome == "removed":
        state = state._replace(current="", previous=release)
    if outcome == "active":
        previous = state.current if state.current != release else state.previous
        lines = advanced(state.lines, known.name, entry)
        state = state._replace(
            current=release, previous=previous, counter=known.counter, lines=lines
        )
    names = ("release", "name", "version", "counter", "state", "at", "owner", "reason")
    return state.noted({name: entry[name] for name in names if name in entry})


def save(layout: Layout, state: ReleaseState) -> None:
    """Write the state whole, and flush it."""
    content = dict(state._asdict(), lines=to_json(state.lines))
    text = json.dumps(content, sort_keys=True, indent=1) + "\n"
    write_atomically(layout.state, text.encode())
