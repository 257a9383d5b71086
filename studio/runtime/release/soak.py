"""SOAK: the new release must stay up and answer for a while before it is committed."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any

from ..link import authorization, connect
from .errors import ReleaseError
from .server import Server

_POLL_S = 0.1
_ANSWER_S = 5.0
_FEW = 20
_MOST_ERRORS = 0.5


def soak(server: Server, digest: str, seconds: float) -> None:
    """Watch the live server.

    Raises:
        ReleaseError: when it ends, serves something else, does not answer, or mostly fails.
    """
    deadline = time.monotonic() + seconds
    first = _status(server, digest)
    while time.monotonic() < deadline:
        time.sleep(_POLL_S)
        now = _status(server, digest)
        requests = _count(now, "requests") - _count(first, "requests")
        errors = _count(now, "errors") - _count(first, "errors")
        if requests >= _FEW and errors > _MOST_ERRORS * requests:
            raise _failed("{} of {} requests failed".format(errors, requests))


def _status(server: Server, digest: str) -> dict[str, Any]:
    if not server.runs():
        raise _failed("the server ended")
    report = server.report()
    host = str(report.get("host", ""))
    host = "127.0.0.1" if host in ("", "0.0.0.0", "::") else host
    link = connect(report, host, int(report.get("port", 0)), _ANSWER_S)
    try:
        link.request("GET", "/edgewright/status", headers=authorization(server.token()))
        answer = link.getresponse()
        status = json.loads(answer.read())
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise _failed("the server does not answer ({})".format(error)) from None
    finally:
        link.close()
    if status.get("digest") != digest:
        raise _failed("the server serves another release")
    return dict(status)


def _count(status: dict[str, Any], name: str) -> int:
    return int(status.get(name) or 0)


def _failed(reason: str) -> ReleaseError:
    return ReleaseError(
        "soak-failed",
        "The release was taken back right after the switch: {}.".format(reason),
        "The release that ran before is served again.",
    )
