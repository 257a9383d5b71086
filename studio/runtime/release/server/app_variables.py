"""Variables of the app of a target: listed without secrets, changed as a whole, or put back."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from typing import NamedTuple

from ...apps.document import AppDocument, is_variable, names_in
from ...apps.settings import AppError
from ...shared.errors import ReleaseError
from ...shared.files import remove, write_atomically
from ...shared.records import read
from ..board import Board
from .server_control import Server

MOST_BYTES = 64 * 1024
"""Most bytes of the file; a server reads no longer one."""

HIDDEN = "***"
"""Stands in place of a secret."""

BOARD, APP, MISSING = "board", "app", "missing"
"""Origins of a value."""

FAILED = "failed"
"""State of an app that cannot run, as its server reports it."""

_WORSE = "With these variables the app does not run: {} The former ones are in force."
_SECRET_NAME = re.compile("PASS|TOKEN|SECRET|KEY|CREDENTIAL|AUTH|PIN$|PWD")
_SECRET_SETTINGS = ("password", "token")
_LOGIN = re.compile(r"(^|://)[^/\s]*@")
_QUERY = re.compile(r"(://[^?\s]*\?).*", re.DOTALL)
_APP_S = 60.0
_POLL_S = 0.1


class VariablesRequest(NamedTuple):
    """Change of the variables of an app.

    Attributes:
        values: New values by their names.
        unset: Names that lose the value of this target.
        ahead: Whether names are taken that the app does not declare, as for its next version.
    """

    values: Mapping[str, object] = {}
    unset: tuple[str, ...] = ()
    ahead: bool = False


class _AppOf(NamedTuple):
    """The app in a manifest."""

    app: object = None


class _AppReport(NamedTuple):
    """The app as its server reports it."""

    state: str = ""
    fault: str = ""


def variables(board: Board, request: Mapping[str, object]) -> dict[str, object]:
    """Return the variables of the app that is served, without the values of secrets."""
    document = _app(board)
    return _listing(document, _stored(board))


def set_variables(board: Board, request: Mapping[str, object]) -> dict[str, object]:
    """Change variables, and restart a running server with them.

    Args:
        request: A ``VariablesRequest`` in JSON form.

    Raises:
        ReleaseError: for what the app cannot have; the former values are in force then.
    """
    wanted = read(VariablesRequest, request)
    document = None if wanted.ahead and not board.state.current else _app(board)
    before = _stored(board)
    after = _changed(before, wanted, document)
    fault = ""
    if after != before:
        fault = _apply(board, before, after)
        names = {"set": sorted(wanted.values), "unset": sorted(map(str, wanted.unset))}
        board.journal.append("app-variables", owner=board.owner, **names)
    runs = Server(board.layout).runs()
    listing = {} if document is None else _listing(document, after)
    restarted = runs and after != before
    return {**listing, "changed": after != before, "restarted": restarted, "fault": fault}


def _app(board: Board) -> AppDocument:
    if not board.state.current:
        raise ReleaseError("nothing-deployed", "This target has no release.")
    what = board.manifest(board.state.current)
    given = read(_AppOf, what.raw).app
    if given is None:
        raise ReleaseError(
            "no-app", "Version {} of {} is not an app.".format(what.version, what.name)
        )
    try:
        return AppDocument.from_json(given)
    except AppError as error:
        raise ReleaseError("bad-app", "The app cannot be read: {}".format(error)) from None


def _stored(board: Board) -> dict[str, str]:
    try:
        content = board.layout.app_variables.read_bytes()
        found = json.loads(content) if len(content) <= MOST_BYTES else None
    except FileNotFoundError:
        return {}
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise ReleaseError(
            "bad-variables",
            "{} is no JSON object of texts.".format(board.layout.app_variables),
            "Correct or remove the file on the target.",
        )
    return found


def _changed(
    before: Mapping[str, str], wanted: VariablesRequest, document: AppDocument | None
) -> dict[str, str]:
    """Return the variables after a change.

    Raises:
        ReleaseError: for a name or a value that cannot be.
    """
    after = dict(before)
    for name in map(str, wanted.unset):
        if after.pop(name, None) is None:
            raise _refused("{} has no value on this target.".format(_short(name)))
    for name, value in wanted.values.items():
        if not is_variable(name) or not isinstance(value, str):
            raise _refused(
                "{} cannot be a variable: a name has capital letters, digits and _.".format(
                    _short(name)
                )
            )
        if document is not None and not wanted.ahead and name not in names_in(document):
            raise _refused(_unknown(name, document))
        after[name] = value
    if len(_written(after)) > MOST_BYTES:
        raise _refused("All variables together may have {:,} bytes.".format(MOST_BYTES))
    if document is not None and wanted.unset:
        _check(document, after)
    return after


def _check(document: AppDocument, after: Mapping[str, str]) -> None:
    """Refuse a change that takes the value of a setting away."""
    try:
        for part in (*document.sources, *document.steps, *document.sinks):
            document.settings_of(part, after)
    except AppError as error:
        raise _refused("{} The app has no value of its own for it.".format(error)) from None


def _apply(board: Board, before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Write the variables and restart a running server; put everything back when that fails.

    Returns:
        Why the app does not run; empty when it does, or without a server.
    """
    runs = Server(board.layout).runs()
    had_failed = runs and _started(board).state == FAILED
    _write(board, after)
    if not runs:
        return ""
    try:
        app = _restarted(board)
        if app.state == FAILED and not had_failed:
            raise _refused(_WORSE.format(app.fault))
    except (ReleaseError, OSError):
        _write(board, before)
        try:
            _restarted(board)
        except (ReleaseError, OSError) as error:
            board.journal.append("restore-failed", release=board.state.current, reason=str(error))
        raise
    # An app that lacks several variables can be given one after the other.
    return app.fault if app.state == FAILED else ""


def _restarted(board: Board) -> _AppReport:
    from ..switch import start_current

    start_current(board, {"anew": True})
    return _started(board)


def _started(board: Board) -> _AppReport:
    """Wait until the app runs or cannot; the last report if that takes longer."""
    from ..trial.soak import status_of

    server, deadline = Server(board.layout), time.monotonic() + _APP_S
    while True:
        status = status_of(server, board.state.current)
        found = status.get("app")
        app = read(_AppReport, found) if isinstance(found, Mapping) else _AppReport()
        if app.state or time.monotonic() > deadline:
            return app
        time.sleep(_POLL_S)


def _write(board: Board, values: Mapping[str, str]) -> None:
    path = board.layout.app_variables
    if values:
        write_atomically(path, _written(values), mode=0o600)
    else:
        remove(path)


def _written(values: Mapping[str, str]) -> bytes:
    return json.dumps(values, indent=2, sort_keys=True).encode() + b"\n"


def _listing(document: AppDocument, stored: Mapping[str, str]) -> dict[str, object]:
    secrets = _secret_names(document)
    names = names_in(document)
    rows = []
    for name in sorted({*names, *stored}):
        value = stored.get(name, document.variables.get(name, ""))
        origin = BOARD if name in stored else APP if name in document.variables else MISSING
        secret = name in secrets or bool(_SECRET_NAME.search(name))
        rows.append(
            {
                "name": name,
                "value": HIDDEN if secret and value else _shown(value),
                "origin": origin,
                "secret": secret,
                "declared": name in names,
            }
        )
    return {"app": document.name, "variables": rows}


def _secret_names(document: AppDocument) -> frozenset[str]:
    """Return the variables that are used as a password or a token."""
    found: set[str] = set()
    for part in (*document.sources, *document.steps, *document.sinks):
        given = {key: part.settings.get(key, "") for key in _SECRET_SETTINGS}
        found.update(part._replace(settings=given).variable_names())
    return frozenset(found)


def _shown(value: str) -> str:
    """Return a value without a login and without the query of an address."""
    return _QUERY.sub(r"\1" + HIDDEN, _LOGIN.sub(r"\1" + HIDDEN + "@", value))


def _unknown(name: str, document: AppDocument) -> str:
    import difflib

    names = names_in(document)
    near = difflib.get_close_matches(name, names, 1)
    hint = (
        "did you mean {}?".format(near[0])
        if near
        else "it has {}.".format(", ".join(names) or "none")
    )
    return "{} has no variable {}: {}".format(document.name, _short(name), hint)


def _short(name: str) -> str:
    return repr(name[:64])


def _refused(message: str) -> ReleaseError:
    return ReleaseError("bad-variables", message)
