"""The API of goosebit 0.2.12, as its routes are."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from studio.api import Progress, TargetError
from studio_hawkbit.address import FleetAddress
from studio_hawkbit.container import ReleaseName, name_in
from studio_hawkbit.rest import Rest
from studio_hawkbit.server import (
    DONE,
    FAILED,
    RUNNING,
    WAITING,
    FleetBoard,
    FleetOffer,
    Software,
)

_API = "/api/v1"
_STATES = {"Running": RUNNING, "Error": FAILED, "Finished": DONE}


class GoosebitServer:
    """One group (goosebit: feed) of a goosebit server."""

    def __init__(self, address: FleetAddress) -> None:
        """Log in.

        Raises:
            TargetError: when the server does not answer, or refuses the login.
        """
        self._address = address
        self._rest = Rest(address)
        if address.user:
            answer = self._rest.form(
                "/login", {"username": address.user, "password": address.password}
            )
            self._rest.authorization = f"Bearer {_dict(answer).get('access_token', '')}"

    def who(self) -> str:
        found = _dict(self._rest.get("/openapi.json")).get("info")
        return f"goosebit {_dict(found).get('version', '')}".strip()

    def software(self) -> list[Software]:
        rows = _rows(self._rest.get(f"{_API}/software"), "software")
        found = [Software(int(r["id"]), name_in(str(r["name"])), int(r["size"])) for r in rows]
        return sorted(found, key=lambda one: one.id)

    def add(self, file: Path, release: ReleaseName, progress: Progress) -> int:
        answer = self._rest.upload("PUT", f"{_API}/software", file, release.file, progress)
        return int(_dict(answer)["id"])

    def rollouts(self) -> list[FleetOffer]:
        rows = _rows(self._rest.get(f"{_API}/rollouts"), "rollouts")
        mine = [row for row in rows if row.get("feed") == self._address.group]
        return sorted(map(_rollout, mine), key=lambda one: (one.at, one.id))

    def offer(self, software: Software, title: str, most_failed: float) -> None:
        body = {"name": title, "feed": self._address.group, "software_id": software.id}
        answer = _dict(self._rest.call("PUT", f"{_API}/rollouts", body))
        if not answer.get("success"):
            raise TargetError("The server made no rollout.")
        # A board whose last action failed is offered nothing until this is set.
        failed = [one.id for one in self.boards() if one.state == FAILED]
        if failed:
            wish = {"devices": failed, "force_update": True}
            self._rest.call("PATCH", f"{_API}/devices", wish)

    def pause(self, rollouts: list[FleetOffer]) -> None:
        ids = [one.id for one in rollouts if not one.paused]
        if ids:
            self._rest.call("PATCH", f"{_API}/rollouts", {"ids": ids, "paused": True})

    def boards(self) -> list[FleetBoard]:
        rows = _rows(self._rest.get(f"{_API}/devices"), "devices")
        return [_board(row) for row in rows if row.get("feed") == self._address.group]

    def confirms(self, board: FleetBoard, release: ReleaseName) -> bool:
        # The log begins anew with each action; its last sentence names the release.
        return f"(release {release.digest[:12]})" in self.log(board.id)

    def log(self, board: str) -> str:
        answer = self._rest.get(f"{_API}/devices/{quote(board, safe='')}/log")
        return str(_dict(answer).get("log") or "")

    def delete(self, software: Software, rollouts: list[FleetOffer]) -> None:
        if rollouts:
            body = {"ids": [one.id for one in rollouts]}
            self._rest.call("DELETE", f"{_API}/rollouts", body)
        self._rest.call("DELETE", f"{_API}/software", {"software_ids": [software.id]})


def _rollout(row: dict[str, Any]) -> FleetOffer:
    return FleetOffer(
        int(row["id"]),
        int(_dict(row.get("software")).get("id", 0)),
        float(row.get("created_at") or 0) / 1000,
        bool(row.get("paused")),
        int(row.get("success_count") or 0),
        int(row.get("failure_count") or 0),
    )


def _board(row: dict[str, Any]) -> FleetBoard:
    seen = row.get("last_seen")
    state = _STATES.get(str(row.get("last_state")), WAITING)
    if state == FAILED and row.get("force_update"):
        state = WAITING  # that was another release, and the board has not polled since
    since = None if seen is None else max(0.0, float(seen))
    return FleetBoard(str(row["id"]), str(row.get("sw_version") or ""), state, since)


def _rows(answer: object, key: str) -> list[dict[str, Any]]:
    """Return the rows of a list.

    Raises:
        TargetError: when the answer is not of the server's form.
    """
    rows = _dict(answer).get(key)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise TargetError(f"The server's list of {key} has another form than goosebit's.")
    return rows


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
