"""Documents of the Direct Device Integration API, version 1, as far as a board needs them."""

from __future__ import annotations

import re
from typing import Dict, List, Mapping, NamedTuple, Optional, Tuple

from .errors import PullError

SKIP = "skip"
_ID = re.compile(r"-?[A-Za-z0-9]{1,64}")
_SLEEP = re.compile(r"(\d{1,4}):(\d{1,2}):(\d{1,2})")
_HEX = frozenset("0123456789abcdef")
_LENGTHS = {"sha256": 64, "sha1": 40}
"""Digests that are compared, the stronger first; MD5 proves nothing."""


class Poll(NamedTuple):
    """Answer to a poll.

    Attributes:
        sleep_s: Seconds until the next poll; 0 where none were named.
        links: Address of each resource that is offered.
    """

    sleep_s: float
    links: Mapping[str, str]


class Artifact(NamedTuple):
    """File of an action.

    Attributes:
        algorithm: ``sha256`` or ``sha1``.
        digest: Digest of the file, in lower case.
    """

    name: str
    size: int
    algorithm: str
    digest: str
    href: str


class PulledAction(NamedTuple):
    """Action that is to be carried out.

    Attributes:
        id: Number of the action at the server.
        installs: Whether it may be installed now, not only downloaded.
    """

    id: str
    installs: bool
    artifact: Artifact


def poll_of(document: Mapping[str, object]) -> Poll:
    """Read the answer to a poll; parts that have another form count as missing."""
    polling = _object(_object(document.get("config")).get("polling"))
    found = _SLEEP.fullmatch(str(polling.get("sleep", "")))
    hours, minutes, seconds = (int(one) for one in found.groups()) if found else (0, 0, 0)
    links = {}
    for name, link in _object(document.get("_links")).items():
        href = _object(link).get("href")
        if isinstance(href, str):
            links[name] = href
    return Poll(float(hours * 3600 + minutes * 60 + seconds), links)


def deployment_of(document: Mapping[str, object]) -> PulledAction:
    """Read an action.

    Raises:
        PullError: when it has another form, or not exactly one artefact of ours.
    """
    action = action_id(document.get("id"))
    wanted = _object(document.get("deployment"))
    artifacts = [
        one
        for chunk in _list(wanted.get("chunks"))
        for one in _list(_object(chunk).get("artifacts"))
    ]
    ours = [one for one in map(_object, artifacts) if str(one.get("filename")).endswith(".swu")]
    if len(ours) != 1:
        raise PullError(
            "The action has {} files of the form .swu, and must have one.".format(len(ours))
        )
    installs = wanted.get("update") != SKIP and wanted.get("maintenanceWindow") != "unavailable"
    return PulledAction(action, installs, _artifact(ours[0]))


def cancelled_action(document: Mapping[str, object]) -> Tuple[str, str]:
    """Return the number of a cancellation and of the action that it ends."""
    stop = _object(document.get("cancelAction")).get("stopId")
    own = action_id(document.get("id"))
    return own, action_id(own if stop is None else stop)


def action_id(value: object) -> str:
    """Return the number of an action, which becomes part of addresses.

    Raises:
        PullError: when it cannot be one.
    """
    text = str(value)
    if not _ID.fullmatch(text):
        raise PullError("The server names no usable number of its action.")
    return text


def feedback(
    action: str,
    execution: str,
    finished: str,
    details: List[str],
    progress: Optional[Tuple[int, int]] = None,
) -> Dict[str, object]:
    """Return the feedback on an action.

    Args:
        execution: ``proceeding``, ``closed``, ``download``, ``downloaded`` or ``rejected``.
        finished: ``none``, ``success`` or ``failure``.
        progress: Steps that are done, of all.
    """
    result: Dict[str, object] = {"finished": finished}
    if progress:
        result["progress"] = {"cnt": progress[0], "of": progress[1]}
    short = [one if len(one) <= 512 else one[:509] + "..." for one in details[:50]]
    return {"id": action, "status": {"execution": execution, "result": result, "details": short}}


def _artifact(found: Mapping[str, object]) -> Artifact:
    size, hashes = found.get("size"), _object(found.get("hashes"))
    if not isinstance(size, int) or isinstance(size, bool) or size <= 0:
        raise PullError("The server names no usable size of the artefact.")
    algorithm = next((one for one in _LENGTHS if isinstance(hashes.get(one), str)), "")
    digest = str(hashes.get(algorithm, "")).lower()
    if not algorithm or len(digest) != _LENGTHS[algorithm] or not _HEX.issuperset(digest):
        raise PullError("The server names no usable digest of the artefact.")
    links = _object(found.get("_links"))
    link = _object(links.get("download")) or _object(links.get("download-http"))
    href = link.get("href")
    if not isinstance(href, str):
        raise PullError("The server names no address of the artefact.")
    return Artifact(str(found.get("filename"))[:200], size, algorithm, digest, href)


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> List[object]:
    return value if isinstance(value, list) else []
