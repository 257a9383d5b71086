"""Context of every verb: the folders, the state, the journal, and the output."""

from __future__ import annotations

import contextlib
import json
import os
import time

from ..shared import manifest
from ..shared.chained_log import Journal
from ..shared.errors import ReleaseError
from ..shared.manifest import Manifest
from ..shared.records import read
from .store import state
from .store.binding import Binding
from .store.latest_releases import to_json
from .store.layout import Layout
from .store.state import ReleaseState


class Board:
    """One folder of releases during one command.

    Attributes:
        state: As it was last read or saved.
        owner: Who asked, for the history.
    """

    def __init__(self, layout: Layout, owner: str, out: int = 1) -> None:
        self.layout = layout
        self.owner = owner
        self.journal = Journal(layout.log, layout.sealed, self._carried)
        self.state = state.load(layout)
        self._out = out

    def save(self, new: ReleaseState) -> None:
        """Write the state before the step that it announces."""
        state.save(self.layout, new)
        self.state = new

    def emit(self, event: str, **values: object) -> None:
        """Write a JSON line; a reader that has left must not stop a release half way."""
        line = json.dumps(dict(values, event=event), sort_keys=True) + "\n"
        try:
            os.write(self._out, line.encode())
        except OSError:
            # Later lines are discarded; the command runs to its end.
            self._out = os.open(os.devnull, os.O_WRONLY)

    def manifest(self, digest: str) -> Manifest:
        """Return the manifest of a staged release."""
        if not self.layout.release(digest).is_dir():
            raise ReleaseError(
                "not-staged", "Release {} is not on this target.".format(digest[:12])
            )
        found = manifest.read(self.layout.release(digest))
        if found.digest != digest:
            raise ReleaseError(
                "altered-file",
                "The manifest of release {} was altered on this target.".format(digest[:12]),
                "Deploy again. Only changed files are sent.",
            )
        return found

    def _carried(self) -> dict[str, object]:
        """Return the facts that the record must retain when its oldest segment is dropped."""
        now = self.state
        last: dict[str, object] = {"current": now.current, "previous": now.previous}
        return {**last, "counter": now.counter, "lines": to_json(now.lines)}

    def binding(self, digest: str) -> Binding:
        """Return which interpreter and runtime a release is run with."""
        try:
            return read(Binding, json.loads(self.layout.binding(digest).read_bytes()))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise ReleaseError(
                "no-binding", "How release {} is to be run is not known.".format(digest[:12])
            ) from None

    def staged(self) -> list[Manifest]:
        """Return the undamaged releases on this target, the lowest counter first."""
        if not self.layout.releases.is_dir():
            return []
        found = []
        for folder in self.layout.releases.iterdir():
            if len(folder.name) == 64 and folder.is_dir():
                with contextlib.suppress(ReleaseError):
                    found.append(self.manifest(folder.name))
        return sorted(found, key=lambda one: (one.counter, one.version))

    def note(self, what: Manifest, outcome: str, **facts: object) -> dict[str, object]:
        """Record the outcome of a release in the journal; return the entry for the history."""
        entry: dict[str, object] = {
            "release": what.digest,
            "name": what.name,
            "version": what.version,
            "counter": what.counter,
            "state": outcome,
            "at": round(time.time(), 3),
            "owner": self.owner,
        }
        entry.update(facts)
        self.journal.append("release", **{k: v for k, v in entry.items() if k != "at"})
        return entry
