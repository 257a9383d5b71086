"""Error messages for a cluster's refusals, in one sentence each."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from textwrap import shorten
from typing import Any

from studio.api import TargetError


class ApiRefusal(TargetError):
    """The cluster answered, and said no.

    Attributes:
        status: Of HTTP.
        reason: In the cluster's words (``Conflict``, ``Forbidden``).
    """

    def __init__(
        self, message: str, status: int, reason: str = "", *, hint: str = "", detail: str = ""
    ) -> None:
        super().__init__(message, hint=hint, detail=detail)
        self.status = status
        self.reason = reason


def refusal(status: int, body: bytes | str, what: str) -> ApiRefusal:
    """Return the error for a response.

    Args:
        body: A ``Status`` object as the API sends it, or whatever a proxy sent instead.
        what: Requested object (``Deployment digits``).
    """
    answer = _parse(body)
    message = str(answer.get("message") or "").strip()
    reason = str(answer.get("reason") or "")
    sentence, hint = _sentence(status, reason, message, answer, what)
    return ApiRefusal(sentence, status, reason, hint=hint, detail=message)


def _sentence(
    status: int, reason: str, message: str, answer: Mapping[str, Any], what: str
) -> tuple[str, str]:
    if status == 401:
        return (
            "The cluster does not accept the credentials (they may have expired).",
            "Log in to the cluster again, as kubectl needs it.",
        )
    if status == 403:
        return _forbidden(message, what)
    if status == 404:
        return _missing(message, what)
    if status == 409:
        return _conflict(answer, message, what)
    if status in (400, 422):
        return f"The cluster does not accept {what}: {_causes(answer) or _plain(message)}", ""
    if status == 429:
        return "The cluster is too busy for this request.", "Try again in a while."
    text = f": {_plain(message)}" if message else "."
    return f"The cluster failed with {what} (HTTP {status}){text}", ""


def _forbidden(message: str, what: str) -> tuple[str, str]:
    quota = re.search(r"exceeded quota: (\S+), (.*)", message, re.DOTALL)
    if quota:
        figures = quota[2].strip().rstrip(".")
        return (
            f"The quota {quota[1]!r} of the namespace does not allow {what}: {figures}.",
            "Ask for less, or have the quota raised.",
        )
    user = re.search(
        r'User "([^"]*)" cannot (\w+) resource "([^"]*)"(?:.*?in the namespace "([^"]*)")?', message
    )
    if user:
        where = f" in namespace {user[4]!r}" if user[4] else ""
        return f"{user[1]!r} may not {user[2]} {user[3]}{where}.", _RIGHTS
    return f"The cluster does not allow {what}: {_plain(message) or 'no reason reported.'}", _RIGHTS


_RIGHTS = "Ask whoever runs the cluster for that right, or choose another namespace or context."


def _missing(message: str, what: str) -> tuple[str, str]:
    namespace = re.search(r'namespaces "([^"]*)" not found', message)
    if namespace:
        return (
            f"There is no namespace {namespace[1]!r} in the cluster.",
            f"Make it (kubectl create namespace {namespace[1]}) or name another one.",
        )
    if "the requested resource" in message:
        return f"The cluster does not know objects of this kind: {what}.", ""
    return f"The cluster has no {what}.", ""


def _conflict(answer: Mapping[str, Any], message: str, what: str) -> tuple[str, str]:
    causes = [one for one in _cause_list(answer) if one.get("reason") == "FieldManagerConflict"]
    if not causes:
        return f"{what} was changed by somebody else at the same time.", "Try again."
    owners: dict[str, list[str]] = {}
    for cause in causes:
        owner = re.search(r'conflict with "([^"]+)"', str(cause.get("message")))
        field = str(cause.get("field") or "").lstrip(".")
        owners.setdefault(owner[1] if owner else "somebody else", []).append(field)
    parts = [f"{', '.join(fields)} is owned by {owner!r}" for owner, fields in owners.items()]
    return (
        f"{what} has fields that something else set: {'; '.join(parts)}.",
        "Leave the change to its owner, or take the fields over with --set force=yes.",
    )


def _causes(answer: Mapping[str, Any]) -> str:
    texts = [f"{one.get('field')}: {one.get('message')}" for one in _cause_list(answer)]
    return "; ".join(texts[:3]) + "." if texts else ""


def _cause_list(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    details = answer.get("details")
    causes = details.get("causes") if isinstance(details, Mapping) else None
    return [one for one in causes or [] if isinstance(one, Mapping)]


def _parse(body: bytes | str) -> Mapping[str, Any]:
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    try:
        answer = json.loads(text)
    except ValueError:
        return {"message": shorten(text, 300, placeholder=" ...")}
    return answer if isinstance(answer, dict) else {}


def _plain(message: str) -> str:
    first = " ".join(message.split())
    return first if not first or first.endswith(".") else f"{first}."
