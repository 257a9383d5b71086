"""hawkBit's Management API, version 1, as its published contract has it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from studio.api import Progress, TargetError
from studio_hawkbit.address import FleetAddress
from studio_hawkbit.container import ReleaseName, name_in
from studio_hawkbit.rest import FleetRefusal, Rest
from studio_hawkbit.server import DONE, FAILED, RUNNING, WAITING, FleetBoard, FleetOffer, Software

_API = "/rest/v1"
_PAGE = 500
_MOST_PAGES = 1000
_READY_S = 120.0
_STATES = {"in_sync": DONE, "pending": RUNNING, "error": FAILED}
_STOPPED = ("paused", "stopped", "finished", "deleted", "deleting", "stopping", "error_starting")


class HawkbitServer:
    """One group of boards (targets whose attribute ``group`` names it) at a hawkBit server."""

    def __init__(self, address: FleetAddress) -> None:
        self._address = address
        self._rest = Rest(address)
        self._rest.basic()
        self._group = f"attribute.group=={address.group}"

    def who(self) -> str:
        return "hawkBit"

    def software(self) -> list[Software]:
        found = [_software(row) for row in self._pages("distributionsets")]
        return sorted(found, key=lambda one: one.id)

    def add(self, file: Path, release: ReleaseName, progress: Progress) -> int:
        """Make a module with the artefact, and a distribution set of it; return the set's number.

        An upload that was interrupted continues with what exists.
        """
        module = self._module(release)
        artifacts = self._rest.get(f"{_API}/softwaremodules/{module}/artifacts")
        names = [one.get("providedFilename") for one in artifacts or [] if isinstance(one, dict)]
        if release.file not in names:
            path = f"{_API}/softwaremodules/{module}/artifacts"
            self._rest.upload("POST", path, file, release.file, progress)
        body = [{**_named(release), "type": "app", "modules": [{"id": module}]}]
        return _first_id(self._rest.call("POST", f"{_API}/distributionsets", body))

    def rollouts(self) -> list[FleetOffer]:
        rows = [row for row in self._pages("rollouts") if not row.get("deleted")]
        mine = [row for row in rows if row.get("targetFilterQuery") == self._group]
        return sorted(map(_rollout, mine), key=lambda one: (one.at, one.id))

    def offer(self, software: Software, title: str, most_failed: float) -> None:
        body = {
            "name": f"{title} {time.time_ns()}",
            "distributionSetId": software.id,
            "targetFilterQuery": self._group,
            "amountGroups": 1,
            "type": "forced",
            "successCondition": {"condition": "THRESHOLD", "expression": "100"},
            "successAction": {"action": "NEXTGROUP", "expression": ""},
            "errorCondition": {"condition": "THRESHOLD", "expression": str(round(most_failed))},
            "errorAction": {"action": "PAUSE", "expression": ""},
        }
        made = int(_dict(self._rest.call("POST", f"{_API}/rollouts", body)).get("id", 0))
        self._wait_until_ready(made)
        self._rest.call("POST", f"{_API}/rollouts/{made}/start")

    def pause(self, rollouts: list[FleetOffer]) -> None:
        for one in rollouts:
            if one.paused:
                continue
            try:
                self._rest.call("POST", f"{_API}/rollouts/{one.id}/pause")
            except FleetRefusal as error:
                if error.status not in (400, 403, 404, 409):  # it runs no more
                    raise

    def boards(self) -> list[FleetBoard]:
        rows = list(self._pages("targets", q=self._group))
        versions = self._versions() if rows else {}
        return [_board(row, versions) for row in rows]

    def confirms(self, board: FleetBoard, release: ReleaseName) -> bool:
        path = f"{_API}/targets/{quote(board.id, safe='')}/installedDS"
        return _dict(self._rest.get(path)).get("version") == release.text

    def log(self, board: str) -> str:
        path = f"{_API}/targets/{quote(board, safe='')}/actions"
        actions = _rows(self._rest.get(path, limit=1, sort="id:DESC"))
        if not actions:
            return ""
        rows = _rows(self._rest.get(f"{path}/{int(actions[0]['id'])}/status", sort="id:ASC"))
        return "\n".join(str(line) for row in rows for line in row.get("messages") or [])

    def delete(self, software: Software, rollouts: list[FleetOffer]) -> None:
        for one in rollouts:
            self._rest.call("DELETE", f"{_API}/rollouts/{one.id}")
        self._rest.call("DELETE", f"{_API}/distributionsets/{software.id}")

    def _module(self, release: ReleaseName) -> int:
        """Return the number of the software module, which is made if it is missing."""
        for row in self._pages("softwaremodules", q=f'version=="{release.text}"'):
            if name_in(str(row.get("description"))) == release:
                return int(row["id"])
        body = [{**_named(release), "type": "application"}]
        return _first_id(self._rest.call("POST", f"{_API}/softwaremodules", body))

    def _versions(self) -> dict[str, str]:
        """Return the version that each board reports, of those that the studio has published."""
        found = {}
        for one in self.software():
            if one.release is not None:
                query = f'{self._group};attribute.sw_version=="{one.release.text}"'
                for row in self._pages("targets", q=query):
                    found[str(row.get("controllerId"))] = one.release.text
        return found

    def _wait_until_ready(self, rollout: int) -> None:
        until = time.monotonic() + _READY_S
        while time.monotonic() < until:
            status = _dict(self._rest.get(f"{_API}/rollouts/{rollout}")).get("status")
            if status == "ready":
                return
            if status != "creating":
                raise TargetError(f"The rollout is {status} and does not start.")
            time.sleep(1.0)
        raise TargetError("The rollout is not ready after 2 minutes.", hint="Deploy again.")

    def _pages(self, kind: str, **query: object) -> Iterator[dict[str, Any]]:
        for page in range(_MOST_PAGES):
            place = {"offset": page * _PAGE, "limit": _PAGE}
            rows = _rows(self._rest.get(f"{_API}/{kind}", **query, **place))
            yield from rows
            if len(rows) < _PAGE:
                return


def _named(release: ReleaseName) -> dict[str, str]:
    # hawkBit has one set of a name and a version.
    name = release.name + release.form
    return {"name": name, "version": release.text, "description": release.file}


def _software(row: dict[str, Any]) -> Software:
    return Software(int(row["id"]), name_in(str(row.get("description") or "")), 0)


def _rollout(row: dict[str, Any]) -> FleetOffer:
    counts = _dict(row.get("totalTargetsPerStatus"))
    return FleetOffer(
        int(row["id"]),
        int(row.get("distributionSetId") or 0),
        float(row.get("createdAt") or 0) / 1000,
        str(row.get("status")) in _STOPPED and row.get("status") != "finished",
        int(counts.get("finished") or 0),
        int(counts.get("error") or 0),
    )


def _board(row: dict[str, Any], versions: dict[str, str]) -> FleetBoard:
    name, seen = str(row.get("controllerId")), row.get("lastControllerRequestAt")
    since = None if seen is None else max(0.0, time.time() - float(seen) / 1000)
    state = _STATES.get(str(row.get("updateStatus")), WAITING)
    return FleetBoard(name, versions.get(name, ""), state, since)


def _rows(answer: object) -> list[dict[str, Any]]:
    """Return the rows of a page.

    Raises:
        TargetError: when the answer is not of the contract's form.
    """
    rows = _dict(answer).get("content")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise TargetError("The server's answer has another form than hawkBit's.")
    return rows


def _first_id(answer: object) -> int:
    first = answer[0] if isinstance(answer, list) and answer else {}
    if not isinstance(_dict(first).get("id"), int):
        raise TargetError("The server's answer has another form than hawkBit's.")
    return int(first["id"])


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
