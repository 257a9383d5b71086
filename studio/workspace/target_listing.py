"""``studio target list``: the targets and their endpoints, and where each answers.

Local releases are polled at once, as that takes no network. Of all others the last record
is shown: ``deployed`` does not mean that they serve now, which ``studio target status`` checks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from studio.documents.dataclass_json import JsonValue, from_json
from studio.lazy_dataclass import dataclass
from studio.registry.records import ReleaseFacts
from studio.workspace import Workspace

if TYPE_CHECKING:
    from studio.deployment.results import TargetStatus

COLUMNS = ("name", "address", "system", "state", "release", "endpoint")
_DEPLOYED, _IDLE = "deployed", "nothing deployed"
_LOCAL = "local"


def listed(opened: Workspace) -> list[dict[str, JsonValue]]:
    """Return a row for each target and endpoint: what is known of it, then how it is."""
    registry = opened.registry
    running = registry.history.running()
    local = [
        target.name
        for target in registry.targets()
        if target.url.partition(":")[0] == _LOCAL and target.name in running
    ]
    asked = _local_states(opened, local)
    rows = []
    for target in registry.targets():
        release = running.get(target.name)
        facts = release.facts if release is not None else ReleaseFacts()
        endpoint = facts.endpoint or ""
        known = {
            "state": _IDLE if release is None else _DEPLOYED,
            "endpoint": endpoint,
            "scheme": urlsplit(endpoint).scheme,
            "release": facts.name or "",
            "version": facts.version,
        }
        rows.append(
            {**asdict(target), **registry.facts(target.name), **known, **asked.get(target.name, {})}
            | {"name": target.name, "url": target.url}
        )
    return rows


@dataclass(frozen=True, slots=True)
class _Line:
    """What a table shows of a row."""

    name: str
    url: str
    state: str
    release: str
    endpoint: str
    version: int | None
    os: str = ""


def line(row: Mapping[str, JsonValue]) -> tuple[str, ...]:
    """Return a row as texts, in the order of the columns."""
    one = from_json(_Line, row)
    release = f"v{one.version} {one.release}" if one.version is not None else ""
    return (one.name, one.url, one.os, one.state, release, one.endpoint)


def _local_states(opened: Workspace, names: list[str]) -> dict[str, dict[str, JsonValue]]:
    """Return the current state of some targets by name."""
    if not names:
        return {}
    outcome = opened.run("target-look", target=names)
    rows: Sequence[TargetStatus] = outcome.result.targets if outcome.ok else ()
    return {
        row.target: {"state": row.state, "endpoint": row.endpoint, "scheme": row.scheme}
        for row in rows
    }
