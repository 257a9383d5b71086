"""The history of a target, and whether it is whole: on the target, and in the registry.

A chain shows that no entry was altered. That its end was not cut off, or all of it made anew, only
somebody else can show: after each change the registry keeps how long the target's chain was and how
it ended, in a chain of its own.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from studio.api import TargetError, UsageError
from studio.deployment.work import agent_on, connected
from studio.jobs import Arguments, Job, Result
from studio.runtime.shared.chained_log import Journal, before, first_break
from studio.targets import inventory
from studio.targets.connect import target_of
from studio.targets.platforms import is_platform

NAME = "history.jsonl"


class TargetHistory:
    """The registry's chain: what was done on which target, and where its own chain stood."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._journal = Journal(self._path)

    def add(self, target: str, release: str, state: str, facts: Mapping[str, Any]) -> None:
        """Note a change."""
        with self._alone():
            self._journal.append(
                "release", target=target, release=release, state=state, **dict(facts)
            )

    def anchors(self, target: str) -> list[dict[str, Any]]:
        """Where the target's chain stood, the oldest first: ``entries`` and ``head``."""
        return [
            {"entries": entry["entries"], "head": entry["head"]}
            for entry in self._journal.readable()
            if entry.get("target") == target and entry.get("head")
        ]

    def facts(self) -> dict[str, int]:
        """How many entries there are, and the first that was altered."""
        broken = self._journal.broken_at()
        return {"entries": len(self._journal.readable()), "broken_at": broken}

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_name("." + NAME + ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def verify_log(arguments: Arguments, job: Job) -> Result:
    """Read a target's log and check it here: what the target says of it proves nothing."""
    target = target_of(arguments["target"])
    if is_platform(target):
        raise UsageError(
            f"{target.name} is a platform target. Read its release history on the platform."
        )
    with connected(target, job) as channel:
        agent = agent_on(target, channel, job)
        if inventory.take(channel, agent.root).is_bare:
            raise TargetError("This target has no release history.")
        agent.install()
        entries = agent.call("log", {})["entries"]
    return judged(target.name, entries, arguments["anchors"], arguments["registry"])


def judged(
    target: str,
    entries: Sequence[Mapping[str, Any]],
    anchors: Sequence[Mapping[str, Any]],
    registry: Mapping[str, int],
) -> Result:
    """What is wrong with a chain, in one sentence; empty where nothing is."""
    dropped = before(entries)
    problem = _broken(target, entries)
    if not problem and registry["broken_at"]:
        problem = f"Entry {registry['broken_at']} of the registry's own history was altered."
    problem = problem or _cut(target, entries, anchors)
    return {
        "target": target,
        "whole": not problem,
        "problem": problem,
        "entries": dropped + len(entries),
        "dropped": dropped,
        "head": str(entries[-1].get("hash") or "") if entries else "",
        "anchors": len(anchors),
        "registry_entries": registry["entries"],
        "changes": [
            {name: entry[name] for name in _SHOWN if name in entry} for entry in reversed(entries)
        ],
    }


def _broken(target: str, entries: Sequence[Mapping[str, Any]]) -> str:
    """What is wrong inside the chain."""
    found = first_break(entries)
    if found is None:
        return ""
    if not found.missing:
        return f"Entry {found.number} of the history of {target} was altered."
    last = found.number + found.missing - 1
    return f"Entries {found.number} to {last} of the history of {target} are missing."


def _cut(
    target: str, entries: Sequence[Mapping[str, Any]], anchors: Sequence[Mapping[str, Any]]
) -> str:
    """What the registry remembers otherwise; what the board has dropped in time cannot be asked."""
    dropped = before(entries)
    for anchor in anchors:
        count = int(anchor["entries"])
        place = count - dropped - 1
        if place >= len(entries):
            total = dropped + len(entries)
            return f"The history of {target} was cut off: it has {total} entries, and had {count}."
        head = entries[place].get("hash") if place >= 0 else anchor["head"]
        head = entries[0].get("continues") if place == -1 and dropped else head
        if head != anchor["head"]:
            return (
                f"The release history of {target} was replaced: entry {count} differs from "
                "the copy saved here."
            )
    return ""


_SHOWN = ("event", "at", "owner", "release", "version", "name", "state", "reason")
