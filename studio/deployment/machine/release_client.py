"""A client for the verbs of a target's release machine, over a channel."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import TypeVar

from studio.api import Channel, Progress, Refused, StudioError, TakenBack, TargetError
from studio.deployment.machine.answers import BeginAnswer, StatusAnswer
from studio.deployment.machine.wheels import no_python
from studio.documents.dataclass_json import InvalidDocument, JsonValue, from_json, read_parts
from studio.lazy_dataclass import dataclass
from studio.packages import ZipApplication
from studio.runtime.release.store.layout import ENDPOINTS

log = logging.getLogger(__name__)

AnswerT = TypeVar("AnswerT")
Message = dict[str, JsonValue]
Watch = Callable[[Mapping[str, JsonValue]], None]

_REFUSALS = frozenset(
    {
        *("counter-back", "foreign-file", "altered-file", "bad-manifest"),
        *("unsigned", "foreign-signature", "another-model"),
    }
)
"""Error codes of refusals for safety, as opposed to failures."""

_SWITCHES = frozenset({"switch", "rollback", "remove"})
"""Verbs that change the active release."""

_USUAL_S = 120.0
"""Default timeout of a verb."""

TAKE = """\
case $1 in */ENDPOINTS/*) base=${1%/ENDPOINTS/*} ;; *) base=$1 ;; esac
part=$1/runtime/.$2.$$
for one in "$base" "$base"/ENDPOINTS/*; do
  file=$one/runtime/$2.pyz
  [ "$one" != "$1" ] && [ -f "$file" ] && mkdir -p "$1/runtime" && cp "$file" "$part" || continue
  echo "$2  $part" | sha256sum -c >/dev/null 2>&1 && exec mv -f "$part" "$1/runtime/$2.pyz"
  rm -f "$part"
done
exit 1
""".replace("ENDPOINTS", ENDPOINTS)
"""Copies the zip application from another endpoint of the target, if it is whole there."""

_NO_COMMAND = (126, 127)
"""Exit codes of a shell for a command that is not executable or missing."""


class ReleaseClient:
    """A client for the verbs of the zip application.

    Attributes:
        root: The folder of releases, absolute.
        owner: The operator, for the target's history.
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
        """Path of the zip application on the target."""
        return f"{self.root}/runtime/{self._runtime.digest}.pyz"

    def install(self, progress: Progress | None = None) -> int:
        """Upload the zip application if the target lacks it; return the bytes sent."""
        if self._has_runtime():
            return 0
        copied = self._channel.run(
            ["sh", "-c", TAKE, "sh", self.root, self._runtime.digest], timeout=30
        )
        if not copied.status and self._has_runtime():
            return 0
        made = self._channel.run(["mkdir", "-p", f"{self.root}/runtime"], timeout=30)
        if made.status:
            reason = made.stderr.decode("utf-8", "replace").strip().rpartition(": ")[2]
            raise TargetError(
                f"Cannot create the folder {self.root} on the target: {reason}.",
                hint="Choose another release folder with --root, or free disk space.",
            )
        self._channel.put(self._runtime.path, self.runtime_path, progress)
        return self._runtime.size

    def _has_runtime(self) -> bool:
        try:
            return self.request(StatusAnswer, "status", {}).runtime == self._runtime.digest
        except StudioError:
            return False  # missing or damaged

    def begin(self, release: str) -> BeginAnswer:
        """Acquire the target's lease for a release."""
        answer = self.request(BeginAnswer, "begin", {"release": release})
        self._token = answer.token
        return answer

    def end(self) -> None:
        """Release the lease; it also expires without this, so a lost connection is no error."""
        if self._token:
            with contextlib.suppress(StudioError):
                self.call("end", {}, timeout=10)
            self._token = ""

    def request(
        self,
        form: type[AnswerT],
        verb: str,
        request: Mapping[str, object],
        *,
        timeout: float = _USUAL_S,
        watch: Watch | None = None,
    ) -> AnswerT:
        """Run a verb, and return its answer as a dataclass.

        Raises:
            StudioError: as ``call`` does, and for an answer in another form.
        """
        answer = self.call(verb, request, timeout=timeout, watch=watch)
        try:
            return from_json(form, answer)
        except InvalidDocument as error:
            raise TargetError(
                f"The runtime on the target returned an invalid answer to {verb!r}.",
                detail=str(error),
            ) from None

    def call(
        self,
        verb: str,
        request: Mapping[str, object],
        *,
        timeout: float = _USUAL_S,
        watch: Watch | None = None,
        frames: Iterable[bytes] = (),
    ) -> Message:
        """Run a verb, and return its last JSON line.

        Args:
            watch: Called with each JSON line except the last.
            frames: Input of the verb after its request.

        Raises:
            Refused: for a refusal for safety.
            TargetError: for any other failure, with the target's own message.
        """
        message = {**request, "owner": self.owner}
        if self._token:
            message["token"] = self._token
        line = json.dumps(message).encode() + b"\n"
        listener = _Listener(watch)
        command = [self._python, self.runtime_path, "release", verb, "--root", self.root]
        done = self._channel.run(
            command,
            # Pieces are sent by a thread of the channel; a verb without frames needs none.
            stdin=chain((line,), frames) if frames else line,
            timeout=timeout,
            on_line=listener,
        )
        if done.status in _NO_COMMAND and listener.result is None:
            raise no_python(self._target)
        if listener.result is None:
            raise TargetError(
                f"The runtime on the target did not answer {verb!r} (exit status {done.status}).",
                detail=done.stderr.decode("utf-8", "replace")[-4000:],
            )
        if listener.failed:
            raise read_parts(_Failure, listener.result).error()
        if verb in _SWITCHES:
            state = {name: listener.result.get(name, "") for name in ("state", "release")}
            log.info("release machine: %s", verb, extra={"target": self._target, **state})
        return listener.result


class _Listener:
    """A parser of JSON lines that separates the last line from the earlier ones."""

    def __init__(self, watch: Watch | None) -> None:
        self.result: Message | None = None
        self.failed = False
        self._watch = watch

    def __call__(self, line: str) -> None:
        try:
            message = json.loads(line)
            kind = message["event"]
        except (ValueError, KeyError, TypeError):
            return  # output of a login script
        if kind in ("result", "error"):
            self.failed = kind == "error"
            self.result = {key: value for key, value in message.items() if key != "event"}
        elif self._watch is not None:
            self._watch(message)


@dataclass(frozen=True, slots=True)
class _Failure:
    """An answer that reports a failure."""

    code: str = ""
    message: str = "The release machine failed."
    hint: str = ""
    detail: str = ""

    def error(self) -> StudioError:
        """Return the error for its code."""
        kind: type[StudioError] = Refused if self.code in _REFUSALS else TargetError
        if self.code == "soak-failed":
            kind = TakenBack
        return kind(self.message, hint=self.hint, detail=self.detail)
