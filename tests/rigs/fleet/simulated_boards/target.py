"""A connector to the boards of one simulator: ``simulated:NAME``, its socket in the settings."""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from studio.api import Completed, Kind, Option, Progress, TargetError, TargetSpec


class SimulatedTarget:
    """Boards that a simulator pretends to be."""

    id = "simulated"
    title = "Simulated board"
    schemes = ("simulated",)
    options: Sequence[Option] = (Option("socket", Kind.TEXT, help="The simulator's socket."),)

    def connect(self, target: TargetSpec, progress: Progress) -> SimulatedChannel:
        """Open a channel."""
        return SimulatedChannel(target)

    def default_root(self, target: TargetSpec) -> str:
        """The board's own folder, below the simulator's."""
        return str(Path(target.settings["socket"]).parent / target.url.partition(":")[2])


class SimulatedChannel:
    """One conversation: a line of JSON there, a line back."""

    def __init__(self, target: TargetSpec) -> None:
        self._name = target.url.partition(":")[2]
        self._socket = target.settings["socket"]
        self._link = socket.socket(socket.AF_UNIX)
        try:
            self._link.connect(target.settings["socket"])
        except OSError as error:
            raise TargetError(f"{self._name} did not answer: {error.strerror}.") from None
        self._stream = self._link.makefile("rwb")
        self._ask(op="hello")

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes | Iterable[bytes] = b"",
        timeout: float = 60.0,
        on_line: Callable[[str], None] | None = None,
    ) -> Completed:
        """Run a command there."""
        if list(argv[2:3]) == ["release"]:
            return self._release(argv, stdin, on_line)
        answer = self._ask(op="run", argv=list(argv))
        out, err = (base64.b64decode(answer[name]) for name in ("out", "err"))
        return Completed(int(answer["status"]), out, err)

    def _release(
        self,
        argv: Sequence[str],
        stdin: bytes | Iterable[bytes],
        on_line: Callable[[str], None] | None,
    ) -> Completed:
        """A verb of the release machine, on a conversation of its own: both sides speak at once."""
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(self._socket)
            question = {"board": self._name, "op": "release", "argv": list(argv)}
            link.sendall(json.dumps(question).encode() + b"\n")
            feeder = threading.Thread(target=_feed, args=(link, stdin), daemon=True)
            feeder.start()
            out, status = b"", 255
            with link.makefile("rb") as lines:
                for line in lines:
                    if line.startswith(b"\0"):
                        status = int(line[1:])
                        break
                    out += line
                    if on_line is not None:
                        on_line(line.decode().rstrip("\n"))
            feeder.join()
        return Completed(status, out, b"")

    def put(self, source: Path, target: str, progress: Progress | None = None) -> None:
        """Copy a file there, whole or not at all."""
        aside = Path(target + ".aside")
        try:
            aside.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, aside)
            aside.rename(target)
        except OSError as error:
            raise TargetError(f"{self._name} takes no file: {error.strerror}.") from None

    def get(self, source: str, target: Path) -> None:
        """Copy a file from there."""
        shutil.copyfile(source, target)

    def forward(self, port: int) -> Way:
        """Its loopback is this computer's."""
        return Way(port)

    def close(self) -> None:
        """Hang up."""
        self._stream.close()
        self._link.close()

    def _ask(self, **question: Any) -> dict[str, Any]:
        try:
            self._stream.write(json.dumps({"board": self._name, **question}).encode() + b"\n")
            self._stream.flush()
            line = self._stream.readline()
        except OSError:
            line = b""
        if not line:
            self.close()
            raise TargetError(f"{self._name} did not answer.", hint="Check that it is switched on.")
        answer: dict[str, Any] = json.loads(line)
        return answer


def _feed(link: socket.socket, content: bytes | Iterable[bytes]) -> None:
    """Send a command's input beside reading its output."""
    with contextlib.suppress(OSError):  # it may end without reading all
        for piece in (content,) if isinstance(content, bytes) else content:
            link.sendall(piece)
        link.shutdown(socket.SHUT_WR)


class Way:
    """A way to a port that needs no digging."""

    host = "127.0.0.1"

    def __init__(self, port: int) -> None:
        self.port = port

    def __enter__(self) -> Way:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is to be ended."""
