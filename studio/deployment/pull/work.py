"""The work of the step on the pull client: its settings sent, its verbs called on the board."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from studio.api import Channel, StudioError, TargetError, UsageError
from studio.deployment.machine.release_client import ReleaseClient
from studio.deployment.machine_verbs import machine_session
from studio.deployment.pull.results import PullResult
from studio.deployment.pull.step import PullOptions
from studio.documents.dataclass_json import JsonValue, read_parts
from studio.jobs import Job
from studio.lazy_dataclass import dataclass
from studio.runtime.parts import SERVING
from studio.targets.connect import interpreter_of

_LARGEST = 1 << 18
_VERB_S = 120.0


@dataclass(frozen=True, slots=True)
class _SettingsAnswer:
    """Settings of the client, as far as they are shown."""

    server: str = ""
    tenant: str = ""
    id: str = ""
    client: str = ""


@dataclass(frozen=True, slots=True)
class _ActionAnswer:
    """State of the last action."""

    action: str = ""
    outcome: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class _StatusAnswer:
    """Last line of a verb."""

    event: str = ""
    message: str = ""
    code: str = ""
    service: str = ""
    alive: bool | None = None
    settings: Mapping[str, JsonValue] | None = None
    state: Mapping[str, JsonValue] | None = None
    removed: bool = False
    module: str = ""


def pull(options: PullOptions, job: Job) -> PullResult:
    """Set up the pull client of a board, show it, or remove it.

    Raises:
        UsageError: for a target that is no machine, or a file that cannot be read.
        TargetError: when the board refuses the settings.
    """
    target = options.target
    request = _request(options)
    refusal = "is a platform target. Boards pull, not platforms."
    hint = "Name the board that is to poll the server."
    with machine_session(target, job, refusal, hint, (*SERVING, "pull")) as (channel, agent):
        agent.install()
        client = _Client(channel, agent, interpreter_of(target))
        if options.remove:
            client.call("remove")
            return PullResult(target.name, removed=True)
        if request is not None:
            client.call("install", request)
        return _result(target.name, client.call("status", may_be_missing=True))


class _Client:
    """The verbs of the pull client on the board."""

    def __init__(self, channel: Channel, agent: ReleaseClient, python: str) -> None:
        self._channel = channel
        self._words = [python, agent.runtime_path, "pull"]
        self._root = ["--root", agent.root]

    def call(
        self, verb: str, request: Mapping[str, object] | None = None, may_be_missing: bool = False
    ) -> _StatusAnswer:
        """Run a verb and return its last line."""
        content = json.dumps(request).encode() if request else b""
        words = [*self._words, verb, *self._root]
        done = self._channel.run(words, stdin=content, timeout=_VERB_S)
        try:
            found = read_parts(_StatusAnswer, json.loads(done.text.splitlines()[-1]))
        except (ValueError, IndexError):
            raise TargetError(
                "The pull client on the board gave no answer.",
                detail=done.stderr.decode("utf-8", "replace")[-2000:],
            ) from None
        if found.event == "error":
            if may_be_missing and "No pull client" in found.message:
                return _StatusAnswer()
            raise TargetError(found.message)
        return found


def _result(target: str, found: _StatusAnswer) -> PullResult:
    settings = read_parts(_SettingsAnswer, found.settings or {})
    state = read_parts(_ActionAnswer, found.state or {})
    return PullResult(
        target,
        settings.server,
        settings.tenant,
        settings.id,
        found.service,
        found.alive,
        state.action,
        state.outcome,
        state.message,
        client=settings.client,
        module=found.module,
    )


def _request(options: PullOptions) -> dict[str, object] | None:
    """Return the settings for the board; None when it is only looked at or removed."""
    if options.server is None and not options.mender:
        return None
    if options.server is not None and options.mender:
        raise UsageError("--server cannot be combined with --mender.")
    name = options.board or re.sub(r"[^A-Za-z0-9._:-]", "-", options.target.name)
    return {
        "server": (options.server or "").rstrip("/"),
        "tenant": options.tenant,
        "id": name,
        "token": _token(options.token_file),
        "token_kind": "GatewayToken" if options.gateway else "TargetToken",
        "ca_pem": _text(options.ca) if options.ca else "",
        "client": _client(options),
        "swupdate_pem": _text(options.swupdate) if options.swupdate else "",
        "plain": options.plain,
        "unsigned": options.unsigned,
        "model": options.only_model or "",
        "hardware": options.hardware,
        "group": options.group,
        "poll_s": options.poll_s,
        "soak_s": options.soak_s,
        "trial": options.trial,
    }


def _client(options: PullOptions) -> str:
    if options.mender:
        return "mender"
    return "swupdate" if options.swupdate else "edgewright"


def _token(path: Path | None) -> str:
    """Return the token of a file that only its owner may read."""
    if path is None:
        return ""
    text = _text(path).strip()
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise UsageError(f"{path} can be read by others.", hint=f"chmod 600 {path}")
    return text


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
        text = content.decode("ascii")
    except (OSError, UnicodeDecodeError):
        raise StudioError(f"The file {path} cannot be read as plain text.") from None
    if len(content) > _LARGEST:
        raise UsageError(f"{path} is too large.")
    return text
