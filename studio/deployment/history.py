"""Verification of a target's history: its own chain of hashes, and the registry's record of it.

The chain on the target proves that no entry was altered. It cannot prove that its end was not cut
off, or that it was not rewritten. So after each change the registry records the length and the
last hash of the target's chain, in a chain of its own.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from studio.api import TargetError
from studio.deployment.machine.answers import LogAnswer
from studio.deployment.machine_verbs import machine_session
from studio.deployment.results import LogHead, VerifyLogResult
from studio.deployment.step import Anchor, RegistryChain, VerifyLogOptions
from studio.documents.dataclass_json import JsonValue, read_parts
from studio.jobs import Job
from studio.lazy_dataclass import dataclass
from studio.runtime.shared.chained_log import Journal, before, first_break
from studio.targets import inventory

NAME = "history.jsonl"


@dataclass(frozen=True, slots=True)
class _RegistryEntry:
    """An entry of the registry's chain."""

    target: str = ""
    entries: int = 0
    head: str = ""


@dataclass(frozen=True, slots=True)
class _Link:
    """The place of an entry in a target's chain.

    Attributes:
        continues: Hash of the last dropped entry before the first remaining one.
    """

    hash: str | None = ""
    continues: str | None = None


class TargetHistory:
    """The registry's chain: the changes of all targets, with the ends of the targets' chains."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._journal = Journal(self._path)

    def add(
        self, target: str, release: str, state: str, by: str = "", log: LogHead | None = None
    ) -> None:
        """Add a change, with the end of the target's own chain."""
        entries, head = (log.entries, log.head) if log else (0, "")
        change = {"target": target, "release": release, "state": state}
        # Another process may append, so reading the last hash and appending need a lock.
        with self._alone():
            self._journal.append("release", **change, by=by, entries=entries, head=head)

    def anchors(self, target: str) -> tuple[Anchor, ...]:
        """Return the recorded ends of the target's chain, the oldest first."""
        entries = [read_parts(_RegistryEntry, entry) for entry in self._journal.readable()]
        return tuple(
            Anchor(entry.entries, entry.head)
            for entry in entries
            if entry.target == target and entry.head
        )

    def chain(self) -> RegistryChain:
        """Return the number of entries, and the first altered one."""
        broken = self._journal.broken_at()
        return RegistryChain(len(self._journal.readable()), broken)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_name("." + NAME + ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def verify_log(options: VerifyLogOptions, job: Job) -> VerifyLogResult:
    """Read a target's history and verify it here; the target's own verdict proves nothing."""
    target = options.target
    refusal = "is a platform target. Read its release history on the platform."
    with machine_session(target, job, refusal) as (channel, agent):
        if inventory.read(channel, agent.root).is_bare:
            raise TargetError("This target has no release history.")
        agent.install()
        entries = agent.request(LogAnswer, "log", {}).entries
    return judged(target.name, entries, options.anchors, options.registry)


def judged(
    target: str,
    entries: Sequence[Mapping[str, JsonValue]],
    anchors: Sequence[Anchor],
    registry: RegistryChain,
) -> VerifyLogResult:
    """Return the result of verifying a chain, with its first problem."""
    dropped = before(entries)
    problem = _broken(target, entries)
    if not problem and registry.broken_at:
        problem = f"Entry {registry.broken_at} of the local registry's history was altered."
    problem = problem or _cut(target, entries, anchors)
    changes = [
        {name: entry[name] for name in _SHOWN if name in entry} for entry in reversed(entries)
    ]
    return VerifyLogResult(
        target,
        not problem,
        problem,
        dropped + len(entries),
        dropped,
        read_parts(_Link, entries[-1]).hash or "" if entries else "",
        len(anchors),
        registry.entries,
        tuple(changes),
    )


def _broken(target: str, entries: Sequence[Mapping[str, JsonValue]]) -> str:
    """Return the problem inside the chain; empty without one."""
    found = first_break(entries)
    if found is None:
        return ""
    if not found.missing:
        return f"Entry {found.number} of the history of {target} was altered."
    last = found.number + found.missing - 1
    return f"Entries {found.number} to {last} of the history of {target} are missing."


def _cut(target: str, entries: Sequence[Mapping[str, JsonValue]], anchors: Sequence[Anchor]) -> str:
    """Return a contradiction to the registry's record; entries dropped by age are not checked."""
    dropped = before(entries)
    for anchor in anchors:
        count = anchor.entries
        place = count - dropped - 1
        if place >= len(entries):
            total = dropped + len(entries)
            return f"The history of {target} was truncated: it had {count} entries, now {total}."
        head = read_parts(_Link, entries[place]).hash if place >= 0 else anchor.head
        head = read_parts(_Link, entries[0]).continues if place == -1 and dropped else head
        if head != anchor.head:
            return (
                f"The release history of {target} was replaced: entry {count} differs from "
                "the copy saved here."
            )
    return ""


_SHOWN = ("event", "at", "owner", "release", "version", "name", "state", "reason")
