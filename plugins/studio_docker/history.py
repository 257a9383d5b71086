"""What a place holds, read from the engine: whose turn it is and was, which container is which."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from docker.models.containers import Container

from studio.api import PlatformRelease
from studio_docker.contents import TURNS
from studio_docker.engine import Engine
from studio_docker.place import GATE, RELEASE, Place
from studio_docker.settings import LABEL


@dataclass(frozen=True, slots=True)
class Held:
    """A release's container.

    Attributes:
        running: Whether it runs now.
        turns: How often it was given its turn.
        since: When it was last given its turn; empty when it never was.
        guarded: Whether callers must send a token.
    """

    container: Container
    release: str
    name: str
    version: int
    by: str
    wish: str
    running: bool
    turns: int
    since: str
    guarded: bool

    def to_release(self, current: str) -> PlatformRelease:
        """It as the studio lists it."""
        state, reason = self._state(current)
        return PlatformRelease(
            release=self.release,
            name=self.name,
            version=self.version,
            state=state,
            traffic=100 if state == "serving" else 0,
            at=self.since or self.container.labels.get(f"{LABEL}.at", ""),
            by=self.by,
            reason=reason,
        )

    def _state(self, current: str) -> tuple[str, str]:
        if self.release == current:
            return ("serving", "") if self.running else ("failed", "its container has ended")
        if self.turns:
            return "replaced", ""
        return ("starting", "") if self.running else ("failed", "it never got as far as serving")


@dataclass(frozen=True, slots=True)
class History:
    """One look at a place.

    Attributes:
        current: The release whose turn it is; empty when none is served.
        past: Every turn that was given, the oldest first.
        gate: The container that keeps the port, if there is one.
    """

    current: str
    past: Sequence[Mapping[str, Any]]
    gate: Container | None
    held: tuple[Held, ...]

    @property
    def serving(self) -> Held | None:
        """The one that answers."""
        return next((one for one in self.held if one.release == self.current and one.running), None)

    @property
    def gate_runs(self) -> bool:
        """Whether the port is kept."""
        return self.gate is not None and self.gate.status == "running"

    def releases(self) -> list[PlatformRelease]:
        """The newest first; of two containers of one release, the one that runs."""
        found: dict[str, Held] = {}
        for one in sorted(self.held, key=lambda one: one.running):
            found[one.release] = one
        current = self.current if self.gate_runs else ""
        rows = [one.to_release(current) for one in found.values()]
        return sorted(rows, key=lambda row: row.at, reverse=True)

    def before(self) -> list[Held]:
        """Those that were served earlier, the latest first."""
        order = [str(row["release"]) for row in self.past]
        found = {one.release: one for one in self.held if one.release != self.current and one.turns}
        return sorted(
            found.values(),
            key=lambda one: max(i for i, name in enumerate(order) if name == one.release),
            reverse=True,
        )


def look(engine: Engine, place: Place) -> History:
    """Read a place; it changes nothing."""
    containers = engine.containers(place.label)
    gate = next((one for one in containers if _role(one) == GATE), None)
    past = _past(_file(engine, gate, "past"))
    held = [_held(one, past) for one in containers if _role(one) == RELEASE]
    return History(_file(engine, gate, "current"), past, gate, tuple(held))


def _role(container: Container) -> str:
    return str(container.labels.get(f"{LABEL}.role", ""))


def _file(engine: Engine, gate: Container | None, name: str) -> str:
    found = engine.read(gate, f"/{TURNS}/{name}") if gate else None
    return found.decode() if found else ""


def _past(text: str) -> list[Mapping[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def _held(container: Container, past: Sequence[Mapping[str, Any]]) -> Held:
    labels = container.labels
    release = str(labels.get(f"{LABEL}.release", ""))
    turns = [str(row["at"]) for row in past if row["release"] == release]
    return Held(
        container=container,
        release=release,
        name=str(labels.get(f"{LABEL}.name", "")),
        version=int(labels.get(f"{LABEL}.version") or 0),
        by=str(labels.get(f"{LABEL}.by", "")),
        wish=str(labels.get(f"{LABEL}.wish", "")),
        running=container.status == "running",
        turns=len(turns),
        since=turns[-1] if turns else "",
        guarded=labels.get(f"{LABEL}.guarded") == "yes",
    )
