"""A channel to this computer: processes and files, without a network."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType

from studio.api import MOST_OUTPUT, Completed, Progress, TargetError

_CHUNK = 1 << 20
_LAST_PIECE_S = 1.0
_DESKTOPS = ("x11", "wayland")


class LocalTunnel:
    """No way to dig: the port is on this computer already."""

    host = "127.0.0.1"

    def __init__(self, port: int) -> None:
        self.port = port

    def __enter__(self) -> LocalTunnel:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close nothing: a local tunnel has no resources."""


class LocalChannel:
    """Commands as child processes, files as copies."""

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes | Iterable[bytes] = b"",
        timeout: float = 60.0,
        on_line: Callable[[str], None] | None = None,
    ) -> Completed:
        try:
            process = subprocess.Popen(
                list(argv),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                env=_environment(),
            )
        except FileNotFoundError:
            return Completed(127, b"", f"{argv[0]}: not found".encode())
        except OSError as error:
            raise TargetError(f"{argv[0]} cannot be started: {error.strerror}.") from None
        watch = _Deadline(process, timeout)
        try:
            with watch:
                out, err = _exchange(process, stdin, on_line)
        except BaseException:
            _kill(process)
            raise
        if max(len(out), len(err)) > MOST_OUTPUT:
            raise TargetError(
                f"{Path(argv[0]).name} said more than {MOST_OUTPUT >> 20} MB and was ended."
            )
        if watch.reached:
            raise TargetError(f"{Path(argv[0]).name} did not end within {timeout:g} s.")
        return Completed(process.returncode, out, err)

    def put(self, source: Path, target: str, progress: Progress | None = None) -> None:
        final = Path(target)
        aside = final.with_name(f".{final.name}.{uuid.uuid4().hex}")
        try:
            _copy(source, aside, progress)
            os.replace(aside, final)
        except OSError as error:
            raise TargetError(_reason(error, target)) from None
        finally:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                aside.unlink()

    def get(self, source: str, target: Path) -> None:
        try:
            shutil.copyfile(source, target)
        except OSError as error:
            raise TargetError(f"{source} cannot be read: {error.strerror}.") from None

    def forward(self, port: int) -> LocalTunnel:
        return LocalTunnel(port)

    def close(self) -> None:
        """Close nothing: no connection is open."""


def _environment() -> dict[str, str]:
    """Return this process's environment.

    On a desktop what is served is one of its user's services, which lasts from login to logout. A
    login without one (over SSH) may end long before the user wants that.
    """
    values = dict(os.environ)
    if values.get("XDG_SESSION_TYPE") in _DESKTOPS:
        values.setdefault("EDGEWRIGHT_SERVICE", "login")
    return values


class _Deadline:
    """Kills a process group when its time is up."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        self.reached = False
        self._process = process
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()

    def _end(self) -> None:
        self.reached = True
        _kill(self._process)


def _exchange(
    process: subprocess.Popen[bytes],
    stdin: bytes | Iterable[bytes],
    on_line: Callable[[str], None] | None,
) -> tuple[bytes, bytes]:
    """Feed standard input and read both outputs until the end of the process."""
    assert process.stdout is not None
    errors: list[bytes] = []
    feeder = _Feeder(process, stdin)
    feeding = threading.Thread(target=feeder.run, daemon=True)
    reading = threading.Thread(target=lambda: errors.append(_all(process)), daemon=True)
    feeding.start()
    reading.start()
    lines, size = [], 0
    with process.stdout as stream:
        # Lines where a listener wants them alone: millions of short ones take half a minute.
        number = stream.fileno()
        while size <= MOST_OUTPUT and (
            line := stream.readline(MOST_OUTPUT + 1) if on_line else os.read(number, _CHUNK)
        ):
            lines.append(line)
            size += len(line)
            if on_line is not None:
                on_line(line.decode("utf-8", "replace").rstrip("\n"))
        if size > MOST_OUTPUT:
            _kill(process)
    process.wait()
    reading.join()
    # Pieces that wait for what the command would have said never come: its end is all there is.
    feeding.join(_LAST_PIECE_S)
    if feeder.failure is not None:
        raise feeder.failure
    return b"".join(lines), b"".join(errors)


class _Feeder:
    """Writes a command's input.

    Attributes:
        failure: Why the pieces of the input could not be had.
    """

    def __init__(self, process: subprocess.Popen[bytes], content: bytes | Iterable[bytes]) -> None:
        self.failure: Exception | None = None
        self._process = process
        self._pieces = iter((content,)) if isinstance(content, bytes) else iter(content)

    def run(self) -> None:
        """Write until the end; a command may exit before it has read all input."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError), self._process.stdin as stream:
            while (piece := self._next()) is not None:
                stream.write(piece)
                stream.flush()  # the next piece may be made of what the command answers to this one

    def _next(self) -> bytes | None:
        try:
            return next(self._pieces, None)
        except Exception as error:  # reported by the thread that waits
            self.failure = error
            return None


def _all(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stderr is not None
    with process.stderr as stream:
        found = stream.read(MOST_OUTPUT + 1)
        if len(found) > MOST_OUTPUT:
            _kill(process)
        return found


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _copy(source: Path, target: Path, progress: Progress | None) -> None:
    size, done = source.stat().st_size, 0
    with source.open("rb") as reader, target.open("xb") as writer:
        while chunk := reader.read(_CHUNK):
            writer.write(chunk)
            done += len(chunk)
            if progress is not None:
                progress.progress(done, size)
        writer.flush()
        os.fsync(writer.fileno())


def _reason(error: OSError, target: str) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full; {target} cannot be written."
    return f"{target} cannot be written: {error.strerror}."
