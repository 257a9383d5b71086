"""Files to and from a board: whole or not at all, and never waiting for a dead link."""

from __future__ import annotations

import contextlib
import errno
import posixpath
import uuid
from pathlib import Path
from typing import Protocol

import paramiko

from studio.api import Completed, Progress, TargetError
from studio_ssh.connection_loss import LOST
from studio_ssh.watchdog import Watchdog

_CHUNK = 1 << 15
# ``df -Pk`` counts in KiB.
_TIMES_FREE = 1024


class _Shell(Protocol):
    """Shell commands that find out why a transfer failed."""

    @property
    def name(self) -> str: ...

    def run(self, argv: list[str], *, timeout: float = ...) -> Completed: ...


def upload(
    sftp: paramiko.SFTPClient,
    transport: paramiko.Transport,
    source: Path,
    target: str,
    progress: Progress | None,
    shell: _Shell,
) -> None:
    """Send a file under a name of its own, check its size, rename it.

    A transfer that hangs can revive later and write on; the unique name keeps it from writing
    into the file of the next attempt.

    Raises:
        TargetError: in one sentence.
    """
    folder, name = posixpath.split(target)
    aside = posixpath.join(folder, f".{name}.{uuid.uuid4().hex}.part")
    size = source.stat().st_size
    watchdog = Watchdog(transport)
    try:
        with watchdog:
            _send(sftp, source, aside, size, progress, watchdog)
            sftp.posix_rename(aside, target)
    except BaseException as error:
        lost = _is_lost(sftp, transport, watchdog, error)
        # On a lost connection the file stays; its unique name makes it harmless.
        if not lost:
            with contextlib.suppress(*LOST):
                sftp.remove(aside)
        if not isinstance(error, LOST):
            raise
        if lost:
            raise _lost(shell.name, watchdog.barked) from None
        raise _explained(error, shell, target, size) from None


def download(
    sftp: paramiko.SFTPClient,
    transport: paramiko.Transport,
    source: str,
    target: Path,
    name: str,
) -> None:
    """Fetch a file.

    Raises:
        TargetError: in one sentence.
    """
    watchdog = Watchdog(transport)
    try:
        with watchdog:
            sftp.get(source, str(target), callback=lambda *_: watchdog.touch())
    except LOST as error:
        if _is_lost(sftp, transport, watchdog, error):
            raise _lost(name, watchdog.barked) from None
        raise TargetError(f"{source} on {name} cannot be read: {_words(error)}.") from None


def _send(
    sftp: paramiko.SFTPClient,
    source: Path,
    target: str,
    size: int,
    progress: Progress | None,
    watchdog: Watchdog,
) -> None:
    done = 0
    with source.open("rb") as reader, sftp.open(target, "wx") as writer:
        writer.set_pipelined(True)
        while chunk := reader.read(_CHUNK):
            writer.write(chunk)
            done += len(chunk)
            watchdog.touch()
            if progress is not None:
                progress.progress(done, size)
    # Pipelined writes are not confirmed one by one, so the size is checked at the end.
    arrived = sftp.stat(target).st_size
    if arrived != size:
        raise OSError(errno.EIO, f"{arrived} of {size} bytes arrived")


def _is_lost(
    sftp: paramiko.SFTPClient,
    transport: paramiko.Transport,
    watchdog: Watchdog,
    error: BaseException,
) -> bool:
    """Return whether the connection ended, rather than the board refusing something."""
    session = sftp.get_channel()
    closed = session is None or session.closed or not transport.is_active()
    return bool(watchdog.barked) or closed or isinstance(error, EOFError)


def _explained(error: BaseException, shell: _Shell, target: str, size: int) -> TargetError:
    """Return an error with the disk's free space, because SFTP reports only "failure"."""
    folder = posixpath.dirname(target)
    free = _free_bytes(shell, folder)
    if free is not None and free < size and not isinstance(error, FileNotFoundError):
        return TargetError(
            f"The disk of {shell.name} is full: the file needs {size / 1e6:,.1f} MB, and "
            f"{free / 1e6:,.1f} MB is free in {folder}.",
            hint="Free some space on the board and repeat; what was sent is kept.",
        )
    return TargetError(f"{target} on {shell.name} cannot be written: {_words(error)}.")


def _free_bytes(shell: _Shell, folder: str) -> int | None:
    try:
        done = shell.run(["df", "-Pk", folder], timeout=10.0)
        return int(done.text.splitlines()[-1].split()[3]) * _TIMES_FREE
    except (TargetError, ValueError, IndexError):
        return None


def _lost(name: str, reason: str) -> TargetError:
    return TargetError(
        f"The connection to {name} was lost during the transfer ({reason or 'it was closed'}).",
        hint="Repeat the command; what has arrived is kept.",
    )


def _words(error: BaseException) -> str:
    if isinstance(error, PermissionError):
        return "no permission"
    if isinstance(error, FileNotFoundError):
        return "there is no such folder or file"
    return str(getattr(error, "strerror", None) or error or "no reason given").rstrip(".")
