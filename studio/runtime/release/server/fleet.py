"""Publication of a target's state: settings of the broker stored with its credentials, or removed.

A running server is started again with them. Settings that cannot be used are refused before
anything changes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from ...fleet.settings import FILE, MOST_BYTES, FleetSettings, settings_of
from ...shared.errors import LoadError, ReleaseError
from ...shared.files import remove, write_atomically
from ..board import Board
from .server_control import Server


def set_fleet(board: Board, request: Mapping[str, object]) -> dict[str, object]:
    """Publish the state of this target from now on, or no longer.

    Args:
        request: ``settings`` is the content of the fleet file; empty to publish no longer.

    Raises:
        ReleaseError: for settings that cannot be used, without a secret of theirs.
    """
    given = request.get("settings")
    found = _checked(given) if given else None
    path = board.layout.access / FILE
    content = json.dumps(given, indent=2, sort_keys=True).encode() if given else b""
    if len(content) > MOST_BYTES:
        raise ReleaseError("bad-fleet", "The settings have more than {} bytes.".format(MOST_BYTES))
    if content == _stored(board):
        return _outcome(found, changed=False, restarted=False)
    board.layout.access.mkdir(mode=0o700, exist_ok=True)
    if content:
        write_atomically(path, content, mode=0o600)
    else:
        remove(path)
    where = "" if found is None else found.address.host
    board.journal.append("fleet", owner=board.owner, broker=where)
    restarted = bool(board.state.current) and Server(board.layout).runs()
    if restarted:
        from ..switch import start_current

        start_current(board, {"anew": True})
    return _outcome(found, changed=True, restarted=restarted)


def _checked(given: object) -> FleetSettings:
    try:
        return settings_of(given)
    except LoadError as error:
        raise ReleaseError("bad-fleet", str(error)) from None
    except (TypeError, ValueError, OverflowError):
        raise ReleaseError("bad-fleet", "The settings are not an object of settings.") from None


def _stored(board: Board) -> bytes:
    try:
        return (board.layout.access / FILE).read_bytes()[: MOST_BYTES + 1]
    except OSError:
        return b""


def _outcome(found: FleetSettings | None, *, changed: bool, restarted: bool) -> dict[str, object]:
    if found is None:
        return {"board": "", "broker": "", "changed": changed, "restarted": restarted}
    broker = "{}:{}".format(found.address.host, found.address.port)
    return {"board": found.board, "broker": broker, "changed": changed, "restarted": restarted}
