"""Snapshot of a target read from the engine: its containers and the releases that served."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from docker.models.containers import Container

from studio.api import PlatformRelease
from studio_docker.containers.names import GATE, RELEASE, EngineNames
from studio_docker.engine.client import Engine
from studio_docker.image.contents import TURNS
from studio_docker.image.settings import LABEL


@dataclass(frozen=True, slots=True)
class ContainerRelease:
    """Container of one release.

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
        """Return the release in the studio's form."""
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
class LostTrial:
    """A trial that a release has lost.

    Attributes:
        at: In seconds since 1970.
    """

    release: str
    name: str
    version: int
    by: str
    at: float
    reason: str

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> LostTrial:
        """Return the release of an entry in the record."""
        return cls(
            release=str(row.get("release") or ""),
            name=str(row.get("name") or ""),
            version=int(row.get("version") or 0),
            by=str(row.get("owner") or ""),
            at=float(row.get("at") or 0.0),
            reason=str(row.get("reason") or ""),
        )

    def to_release(self) -> PlatformRelease:
        """Return the release in the studio's form."""
        at = datetime.fromtimestamp(self.at, UTC).isoformat(timespec="seconds")
        return PlatformRelease(
            self.release, self.name, self.version, "failed", 0, at, self.by, self.reason
        )


@dataclass(frozen=True, slots=True)
class ReleaseHistory:
    """Snapshot of the releases at one target.

    Attributes:
        current: The release whose turn it is; empty when none is served.
        past: Every turn that was given, the oldest first.
        gate: The container that keeps the port, if there is one.
        lost: Trials that ended with an automatic rollback, the oldest first.
    """

    current: str
    past: Sequence[Mapping[str, Any]]
    gate: Container | None
    held: tuple[ContainerRelease, ...]
    lost: tuple[LostTrial, ...] = ()

    @property
    def serving(self) -> ContainerRelease | None:
        """The one that answers."""
        return next((one for one in self.held if one.release == self.current and one.running), None)

    @property
    def gate_runs(self) -> bool:
        """Whether the container that listens on the port is running."""
        return self.gate is not None and self.gate.status == "running"

    def is_rejected(self, release: str) -> bool:
        """Return whether the release was rolled back and has not served since."""
        lost = max((one.at for one in self.lost if one.release == release), default=0.0)
        turns = [str(row["at"]) for row in self.past if row["release"] == release]
        return bool(lost) and (not turns or _seconds(turns[-1]) <= lost)

    def releases(self) -> list[PlatformRelease]:
        """Return the releases, newest first; of two containers of one release, the running one."""
        found: dict[str, ContainerRelease] = {}
        # Running containers last, so that they win over others of the same release.
        for one in sorted(self.held, key=lambda one: one.running):
            if not self.is_rejected(one.release):
                found[one.release] = one
        current = self.current if self.gate_runs else ""
        rows = [one.to_release(current) for one in found.values()]
        rows += [one.to_release() for one in self.lost if one.release not in found]
        return sorted(rows, key=lambda row: row.at, reverse=True)

    def before(self) -> list[ContainerRelease]:
        """Return the releases that served earlier, the latest first."""
        order = [str(row["release"]) for row in self.past]
        found = {
            one.release: one
            for one in self.held
            if one.release != self.current and one.turns and not self.is_rejected(one.release)
        }
        return sorted(
            found.values(),
            key=lambda one: max(i for i, name in enumerate(order) if name == one.release),
            reverse=True,
        )


def poll(engine: Engine, place: EngineNames) -> ReleaseHistory:
    """Read a place; it changes nothing."""
    containers = engine.containers(place.label)
    gate = next((one for one in containers if _role(one) == GATE), None)
    past = _past(_file(engine, gate, "past"))
    held = [_container_release(one, past) for one in containers if _role(one) == RELEASE]
    lost = _lost(_file(engine, gate, "log.jsonl"))
    return ReleaseHistory(_file(engine, gate, "current"), past, gate, tuple(held), lost)


def _role(container: Container) -> str:
    return str(container.labels.get(f"{LABEL}.role", ""))


def _file(engine: Engine, gate: Container | None, name: str) -> str:
    found = engine.read(gate, f"/{TURNS}/{name}") if gate else None
    return found.decode() if found else ""


def _past(text: str) -> list[Mapping[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def _lost(text: str) -> tuple[LostTrial, ...]:
    """Return the lost trials in the runtime's record (``gate.note``)."""
    rows = map(_row, text.splitlines())
    return tuple(LostTrial.of(row) for row in rows if _is_lost(row))


def _is_lost(row: Mapping[str, Any]) -> bool:
    return row.get("event") == "soak" and row.get("decision") == "taken back"


def _row(line: str) -> Mapping[str, Any]:
    """Return an entry; a torn or altered line counts as empty."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _seconds(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()


def _container_release(container: Container, past: Sequence[Mapping[str, Any]]) -> ContainerRelease:
    labels = container.labels
    release = str(labels.get(f"{LABEL}.release", ""))
    turns = [str(row["at"]) for row in past if row["release"] == release]
    return ContainerRelease(
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
