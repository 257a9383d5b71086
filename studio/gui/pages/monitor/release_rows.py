"""The releases of an endpoint as rows of its history, and as markers of its charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from studio.gui import figures
from studio.gui.charts.time_data import Marker
from studio.gui.pages.shared import target_rows
from studio.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from studio.workspace import ReleaseRecord

_TONES = {"live": "good", "canary": "accent", "failed": "bad", "rolled back": "bad"}


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """One change of an endpoint's release.

    Attributes:
        name: ``digits v13 int8``, as it is read.
        state: ``live``, ``replaced``, ``rolled back``, ``failed`` or ``undeployed``.
        detail: When, by whom, and why.
        to: What a rollback to it is called; empty where none is possible.
        model: Name of the model.
    """

    name: str
    state: str
    tone: str
    detail: str
    version: int | None
    to: str
    digest: str
    model: str


def release_rows(
    releases: Sequence[ReleaseRecord], reachable: Mapping[str, bool] | None
) -> list[ReleaseRow]:
    """Return the changes of a target, the newest first, a rollback once for each release.

    Args:
        reachable: Whether the target still has a release, by digest; None where that is not known,
            and the newest earlier release may be there.
    """
    live = target_rows.running(releases).release
    names = _names(releases)
    rows: list[ReleaseRow] = []
    offered: set[str] = {live.digest} if live is not None else set()
    for release in releases:
        state = _state(release, live)
        can = live is not None and release.digest not in offered
        can = can and state in ("replaced", "rolled back")
        if can and reachable is not None:
            can = reachable.get(release.digest, False)
        elif can:
            can = len(offered) == 1
        number = release.facts.version
        if can and number is not None:
            offered.add(release.digest)
        model, name = names.get(release.digest, ("", target_rows.release_name(release)))
        rows.append(
            ReleaseRow(
                f"{model} {name}".strip(),
                state,
                _TONES.get(state, ""),
                _detail(release),
                number,
                _wanted(release, releases) if can and number is not None else "",
                release.digest,
                model,
            )
        )
    return rows


def _wanted(release: ReleaseRecord, releases: Sequence[ReleaseRecord]) -> str:
    """Return the version, or the digest where another release has the same number."""
    number = release.facts.version
    twins = {one.digest for one in releases if one.facts.version == number}
    return str(number) if len(twins) == 1 else release.digest


def _names(releases: Sequence[ReleaseRecord]) -> dict[str, tuple[str, str]]:
    """Return model and release name by digest; the record of a rollback has the number alone."""
    found: dict[str, tuple[str, str]] = {}
    for release in releases:
        facts = release.facts
        model, name = found.get(release.digest, ("", ""))
        if facts.variant_name or not name:
            name = target_rows.release_name(release)
        found[release.digest] = (facts.name or model, name)
    return found


def _state(release: ReleaseRecord, live: ReleaseRecord | None) -> str:
    if release is live:
        return "live"
    if release.state == target_rows.SERVING:
        return "replaced"
    return "undeployed" if release.state == target_rows.REMOVED else release.state


def _detail(release: ReleaseRecord) -> str:
    facts = release.facts
    by = (facts.by or "").partition("@")[0]
    reason = (facts.reason or "").rstrip(".")
    return " · ".join(filter(None, (figures.moment(release.created), by, reason)))


def release_markers(releases: Sequence[ReleaseRecord]) -> list[Marker]:
    """Return a marker for each deployment and each rollback."""
    names = _names(releases)
    found = []
    for place, release in enumerate(releases):
        if release.state != target_rows.SERVING:
            continue
        older = releases[place + 1] if place + 1 < len(releases) else None
        is_back = older is not None and older.state == "rolled back"
        name = names[release.digest][1]
        text, token = (f"rolled back to {name}", "bad") if is_back else (name, "accent")
        at = datetime.fromisoformat(release.created).timestamp()
        found.append(Marker(at, text, token))
    return found
