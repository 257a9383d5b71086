"""The state of each target: one word with a tone, the release, and when it was last checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from studio.deployment.results import ServerResult, StatusResult
from studio.documents.dataclass_json import JsonValue, read_parts
from studio.gui.pages.shared import target_rows
from studio.lazy_dataclass import dataclass
from studio.workspace import EndpointState

if TYPE_CHECKING:
    from studio.workspace import EndpointStates, ReleaseRecord, Workspace

LOOKS = 20
"""Number of recorded looks at boards that are read."""

SERVING, NO_RELEASE, UNREACHABLE = "serving", "no release", "unreachable"
NOT_CHECKED = "not checked yet"
_SAME = timedelta(seconds=2)
"""Two views take the same sample within this time."""

_UNKNOWN = (EndpointState.NOT_CHECKED, EndpointState.NO_RELEASE)
WORDS = {"no answer": UNREACHABLE, "nothing deployed": NO_RELEASE}
"""States as they are shown, where that is not the stored word."""


@dataclass(frozen=True, slots=True)
class _MedianLatency:
    """The median latency of a release, in milliseconds."""

    p50: float | None = None


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """The last measurements of a target.

    Attributes:
        digest: The release that was measured.
        health: The state of its server as a word; empty where that was not asked.
        checked: When it was measured (ISO 8601); empty where that is not known.
    """

    target: str = ""
    digest: str | None = None
    health: str | None = None
    latency_ms: _MedianLatency | None = None
    throughput: float | None = None
    errors: int | None = None
    checked: str = ""

    @classmethod
    def of(cls, document: Mapping[str, JsonValue]) -> LiveFigures:
        """Return the figures of a sample of the watch."""
        return read_parts(cls, document)

    @classmethod
    def of_server(cls, result: ServerResult, checked: str) -> LiveFigures:
        """Return the state that a start or a stop reports of its target."""
        return cls(result.target, result.release, result.state, checked=checked)


@dataclass(frozen=True, slots=True)
class TargetState:
    """One target as every view shows it.

    Attributes:
        word: ``serving``, ``no release``, ``unreachable``, ``not checked yet`` and others.
        tone: ``good``, ``warning``, ``bad``, ``accent`` or empty.
        release: ``v12 int8``; empty without one.
        checked: When this was last known to be so (ISO 8601); empty where it never was.
        live: Measurements of the release that serves; None without any.
    """

    word: str
    tone: str = ""
    release: str = ""
    checked: str = ""
    live: LiveFigures | None = None


@dataclass(frozen=True, slots=True)
class _Watch:
    """The recorded result of a watch: of one target, or of several."""

    targets: tuple[Mapping[str, JsonValue], ...] | None = None


def last_seen(workspace: Workspace) -> dict[str, LiveFigures]:
    """Return the last measurements of each target: of a monitor run, or of its status."""
    seen: list[LiveFigures] = []
    for run in workspace.registry.runs("monitor"):
        for row in read_parts(_Watch, run.result).targets or (run.result,):
            sample = LiveFigures.of(row)
            name = sample.target or str(run.options.get("target"))
            seen.append(replace(sample, target=name, checked=run.created))
    for status in workspace.results.of("target-look", StatusResult, most=LOOKS):
        seen += [
            LiveFigures(one.target, one.release, one.state, checked=status.created)
            for one in status.result.targets
        ]
    newest: dict[str, LiveFigures] = {}
    for sample in sorted(seen, key=lambda one: one.checked, reverse=True):
        newest.setdefault(sample.target, sample)
    return newest


def target_state(
    running: ReleaseRecord | None, live: LiveFigures | None, *, known: bool
) -> TargetState:
    """Return the state of a target from what was seen of it.

    A release is known to serve at the time of its deployment, which ends with a check; whatever
    was measured since counts for more.

    Args:
        running: The release that serves as far as recorded.
        live: The last measurement of the target.
        known: Whether the target was ever reached.
    """
    word = WORDS.get(live.health or "", live.health or "") if live is not None else ""
    if running is None:
        if live is not None and word == UNREACHABLE:
            return TargetState(word, tone(word), checked=live.checked)
        reached = known or live is not None
        checked = live.checked if live is not None else ""
        return TargetState(NO_RELEASE if reached else NOT_CHECKED, checked=checked)
    name = target_rows.release_name(running)
    if live is not None and live.digest == running.digest:
        word = word or SERVING
        return TargetState(word, tone(word), name, live.checked, live)
    if live is not None and word and not live.digest and live.checked > running.created:
        return TargetState(word, "bad" if word == UNREACHABLE else "warning", name, live.checked)
    return TargetState(SERVING, tone(SERVING), name, running.created)


def target_states(
    workspace: Workspace, seen: Mapping[str, LiveFigures] | None = None
) -> dict[str, TargetState]:
    """Return the state of each target of the registry by its name.

    Args:
        seen: Measurements that are newer than the recorded ones.
    """
    registry = workspace.registry
    running, live = registry.history.running(), {**last_seen(workspace), **(seen or {})}
    found = {}
    for target in registry.targets():
        name = target.name
        known = name == target_rows.LOCAL or bool(registry.facts(name))
        state = target_state(running.get(name), live.get(name), known=known)
        found[name] = _as_monitored(state, workspace.endpoints, name) if state.release else state
    return found


def _as_monitored(state: TargetState, endpoints: EndpointStates, name: str) -> TargetState:
    """Return a state in the word and tone of Monitor and the rail, unless it is newer."""
    status, checked = endpoints.of(name), endpoints.checked_at(name)
    if status.state in _UNKNOWN:
        return state
    is_newer = checked is not None and datetime.fromisoformat(state.checked) > checked + _SAME
    return state if is_newer else replace(state, word=status.word, tone=status.tone)


def tone(state: str) -> str:
    """Return the colour of a state's word."""
    if state in (SERVING, "healthy"):
        return "good"
    if state in (NO_RELEASE, NOT_CHECKED):
        return ""
    return "bad" if state in (UNREACHABLE, "degraded", "stopped") else "warning"
