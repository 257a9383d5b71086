"""The release machine of a target, spoken to over a channel."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import Any

from studio.api import Channel, Progress, Refused, StudioError, TakenBack, TargetError
from studio.deployment.wheels import no_python
from studio.packages import ZipApplication

log = logging.getLogger(__name__)

Watch = Callable[[Mapping[str, Any]], None]

_REFUSALS = frozenset(
    {
        *("counter-back", "foreign-file", "altered-file", "bad-manifest"),
        *("unsigned", "foreign-signature", "another-model"),
    }
)
"""Codes of what is refused for safety rather than failed."""

_SWITCHES = frozenset({"switch", "rollback", "remove"})
"""Verbs after which something else is served, or nothing."""

_NO_COMMAND = (126, 127)
"""What a shell says of a command that cannot be run, or is not there."""


class ReleaseClient:
    """Runs the verbs of the zip application.

    Attributes:
        root: The folder of releases, absolute.
        owner: Who is asking, for the target's record.
    """

    def __init__(
        self,
        channel: Channel,
        root: str,
        python: str,
        runtime: ZipApplication,
        owner: str,
        target: str,
    ) -> None:
        self._channel = channel
        self._python = python
        self._target = target
        self._runtime = runtime
        self._token = ""
        self.root = root
        self.owner = owner

    @property
    def runtime_path(self) -> str:
        """Where the zip application lies on the target."""
        return f"{self.root}/runtime/{self._runtime.digest}.pyz"

    def install(self, progress: Progress | None = None) -> int:
        """Make sure that the zip application is there; returns the bytes sent."""
        try:
            if self.call("status", {})["runtime"] == self._runtime.digest:
                return 0
        except StudioError:
            pass  # not there, or damaged
        made = self._channel.run(["mkdir", "-p", f"{self.root}/runtime"], timeout=30)
        if made.status:
            reason = made.stderr.decode("utf-8", "replace").strip().rpartition(": ")[2]
            raise TargetError(
                f"The folder {self.root} cannot be made on the target: {reason}.",
                hint="Choose another folder for this target's releases, or free the disk.",
            )
        self._channel.put(self._runtime.path, self.runtime_path, progress)
        return self._runtime.size

    def begin(self, release: str) -> dict[str, Any]:
        """Become the target's operator for a release."""
        answer = self.call("begin", {"release": release})
        self._token = str(answer["token"])
        return answer

    def end(self) -> None:
        """Let the next operator in; a lost connection does not matter, the lease ends by itself."""
        if self._token:
            try:
                self.call("end", {}, timeout=10)
            except StudioError:
                pass
            self._token = ""

    def call(
        self,
        verb: str,
        request: Mapping[str, Any],
        *,
        timeout: float = 120.0,
        watch: Watch | None = None,
        frames: Iterable[bytes] = (),
    ) -> dict[str, Any]:
        """Run one verb.

        Args:
            watch: Called with each JSON line that is not the last.
            frames: What the verb reads after its request.

        Raises:
            Refused: for what is refused for safety.
            TargetError: for all else, in the target's own sentence.
        """
        message = {**request, "owner": self.owner}
        if self._token:
            message["token"] = self._token
        line = json.dumps(message).encode() + b"\n"
        listener = _Listener(watch)
        command = [self._python, self.runtime_path, "release", verb, "--root", self.root]
        done = self._channel.run(
            command,
            # A command that takes files is told from one that keeps a small board busy.
            stdin=chain((line,), frames) if frames else line,
            timeout=timeout,
            on_line=listener,
        )
        if done.status in _NO_COMMAND and listener.result is None:
            raise no_python(self._target)
        if listener.result is None:
            raise TargetError(
                f"The runtime on the target gave no answer to {verb!r} (status {done.status}).",
                detail=done.stderr.decode("utf-8", "replace")[-4000:],
            )
        if listener.result.pop("event") == "error":
            raise _error(listener.result)
        if verb in _SWITCHES:
            state = {name: listener.result.get(name, "") for name in ("state", "release")}
            log.info("release machine: %s", verb, extra={"target": self._target, **state})
        return listener.result


class _Listener:
    """Takes JSON lines apart: the last one, and those before it."""

    def __init__(self, watch: Watch | None) -> None:
        self.result: dict[str, Any] | None = None
        self._watch = watch

    def __call__(self, line: str) -> None:
        try:
            message = json.loads(line)
            kind = message["event"]
        except (ValueError, KeyError, TypeError):
            return  # chatter of a login script
        if kind in ("result", "error"):
            self.result = message
        elif self._watch is not None:
            self._watch(message)


def _error(answer: Mapping[str, Any]) -> StudioError:
    kind: type[StudioError] = Refused if answer.get("code") in _REFUSALS else TargetError
    if answer.get("code") == "soak-failed":
        kind = TakenBack
    return kind(
        str(answer["message"]),
        hint=str(answer.get("hint", "")),
        detail=str(answer.get("detail", "")),
    )
