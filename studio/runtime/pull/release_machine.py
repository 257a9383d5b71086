"""The release machine of this board, called as the studio calls it: a process for each verb."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Callable, Dict, Iterable, List, Mapping, Optional

from ..release.intake.source import END, FRAME_BYTES, HEADER, RAW
from ..shared.errors import ReleaseError
from ..shared.files import digest_of, link_or_copy, replacement
from ..shared.threads import guarded_thread

Events = Callable[[Mapping[str, object]], None]

_VERB_S = 1800.0


class ReleaseMachine:
    """The verbs of the release machine of one folder."""

    def __init__(self, root: Path, owner: str, application: Optional[Path]) -> None:
        """Remember whom to call.

        Args:
            owner: Who asks, for the history.
            application: The zip application; None for the sources of this process.
        """
        self._root = root
        self._owner = owner
        self._application = application
        self._token = ""

    def place_runtime(self) -> str:
        """Put this client's application where releases find their runtime; return its digest.

        Raises:
            ReleaseError: when this process does not run from an application.
        """
        if self._application is None:
            raise ReleaseError("no-runtime", "The pull client runs from its application only.")
        digest = digest_of(self._application)
        place = self._root / "runtime" / (digest + ".pyz")
        if not place.is_file() or digest_of(place) != digest:
            place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            with replacement(place) as aside:
                link_or_copy(self._application, aside)
        return digest

    def begin(self, release: str) -> Dict[str, object]:
        """Acquire the lease of this board."""
        found = self.call("begin", {"release": release})
        self._token = str(found.get("token", ""))
        return found

    def end(self) -> None:
        """Release the lease."""
        if self._token:
            try:
                self.call("end", {})
            except ReleaseError:
                pass  # it also expires without this
            self._token = ""

    def call(
        self,
        verb: str,
        request: Mapping[str, object],
        *,
        frames: Iterable[bytes] = (),
        watch: Optional[Events] = None,
    ) -> Dict[str, object]:
        """Run a verb and return its result.

        Args:
            frames: Input after the request.
            watch: Called with each line except the last.

        Raises:
            ReleaseError: the machine's own, or that it gave no answer.
        """
        asked = dict(request, owner=self._owner)
        if self._token:
            asked["token"] = self._token
        process = subprocess.Popen(
            [*self._command(), "release", verb, "--root", str(self._root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # a signal for this client does not end a switch half way
        )
        lines: List[Dict[str, object]] = []
        reader = guarded_thread(
            "release lines",
            lambda: _read_lines(process, lines, watch),
            lambda error: process.kill(),
            lasts=False,
        )
        errors: List[bytes] = []
        drain = guarded_thread(
            "release errors",
            lambda: _drain(process, errors),
            lambda error: process.kill(),
            lasts=False,
        )
        reader.start()
        drain.start()
        _feed(process, json.dumps(asked).encode() + b"\n", frames)
        try:
            process.wait(_VERB_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for thread, pipe in ((reader, process.stdout), (drain, process.stderr)):
            thread.join(10.0)
            if pipe is not None and not thread.is_alive():  # a server may have inherited it
                pipe.close()
        return _outcome(verb, lines, b"".join(errors))

    def _command(self) -> List[str]:
        # place_runtime refuses a client without an application before any verb.
        return [sys.executable, str(self._application)]


def own_application() -> Optional[Path]:
    """Return the zip application of this process; None when it runs from sources."""
    place = Path(os.path.abspath(sys.argv[0]))
    return place if place.suffix == ".pyz" else None


def framed(content: Iterable[bytes]) -> Iterable[bytes]:
    """Yield the frames of one file."""
    for piece in content:
        for start in range(0, len(piece), FRAME_BYTES):
            part = piece[start : start + FRAME_BYTES]
            yield HEADER.pack(RAW, len(part)) + part
    yield HEADER.pack(END, 0)


def _feed(process: subprocess.Popen[bytes], line: bytes, frames: Iterable[bytes]) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(line)
        for frame in frames:
            process.stdin.write(frame)
    except OSError:
        pass  # it has ended early and says why in its answer
    finally:
        with contextlib.suppress(OSError):
            process.stdin.close()


def _read_lines(
    process: subprocess.Popen[bytes], lines: List[Dict[str, object]], watch: Optional[Events]
) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict):
            lines[:] = [found]
            if watch is not None and found.get("event") not in ("result", "error"):
                watch(found)


def _drain(process: subprocess.Popen[bytes], errors: List[bytes]) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        errors[:] = [*errors[-50:], line]


def _outcome(verb: str, lines: List[Dict[str, object]], errors: bytes) -> Dict[str, object]:
    last = lines[-1] if lines else {}
    if last.get("event") == "result":
        return last
    if last.get("event") == "error":
        texts = [str(last.get(name, "")) for name in ("code", "message", "hint", "detail")]
        raise ReleaseError(*texts)
    detail = errors.decode("utf-8", "replace")[-2000:]
    raise ReleaseError(
        "no-answer", "The release machine gave no answer to {}.".format(verb), "", detail
    )
