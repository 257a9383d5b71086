"""File operations that survive a power cut: written aside, flushed, renamed."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path
from typing import Iterator, Optional

_CHUNK = 1 << 20


def fresh() -> str:
    """Return a name that no other process uses."""
    return os.urandom(16).hex()


def digest_of(path: Path, size: int = -1) -> str:
    """SHA-256 of a file's content, or of its first bytes, in hexadecimal."""
    import hashlib  # a supervisor, which writes files, needs none

    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while size:
            chunk = file.read(_CHUNK if size < 0 else min(_CHUNK, size))
            if not chunk:
                break
            digest.update(chunk)
            size -= len(chunk) if size > 0 else 0
    return digest.hexdigest()


def sync(path: Path) -> None:
    """Flush a file's content, or a folder's list of names, to the disk."""
    handle = os.open(str(path), os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some shares flush files, and have no call for folders
            raise
    finally:
        os.close(handle)


def write_atomically(path: Path, content: bytes, mode: Optional[int] = None) -> None:
    """Replace a file whole: a reader sees the old content or the new one, also after a crash.

    Args:
        mode: Who may read and write it, from its first byte on; by default what the umask leaves.
    """
    with replacement(path) as aside:
        access = 0o666 if mode is None else mode
        with open(aside, "xb", opener=lambda name, flags: os.open(name, flags, access)) as file:
            if mode is not None:
                os.chmod(str(aside), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


def append_line(path: Path, line: bytes) -> None:
    """Add a line to a file and flush it; a line that a power cut tore stays one of its own."""
    is_new = not path.exists()
    with open(path, "ab+") as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            line = line if file.read(1) == b"\n" else b"\n" + line
        file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        sync(path.parent)


def point(link: Path, target: str) -> None:
    """Make ``link`` a symbolic link to ``target`` in one rename."""
    with replacement(link) as aside:
        os.symlink(target, str(aside))


@contextlib.contextmanager
def replacement(path: Path) -> Iterator[Path]:
    """Yield a path next to ``path``; what was made there takes the name of ``path`` at the end.

    The folder is flushed then. An exception removes what was made and leaves ``path``.
    """
    aside = path.with_name(".{}.{}".format(path.name, fresh()))
    try:
        yield aside
        os.replace(str(aside), str(path))
    except BaseException:
        remove(aside)
        raise
    sync(path.parent)


def link_or_copy(source: Path, target: Path) -> None:
    """A hard link where the file system has them, a flushed copy elsewhere."""
    try:
        os.link(str(source), str(target))
    except OSError:
        import shutil  # with three decompressors; most verbs need none of it

        shutil.copyfile(str(source), str(target))
        sync(target)


def remove(path: Path) -> None:
    """Remove a file, a link or a whole folder; one that is not there is fine."""
    if path.is_dir() and not path.is_symlink():
        import shutil

        shutil.rmtree(str(path), ignore_errors=True)
        return
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        path.unlink()


def free_bytes(folder: Path) -> int:
    """What this user may still write to the folder's file system."""
    found = os.statvfs(str(folder))
    return found.f_bavail * found.f_frsize


def megabytes(count: int) -> str:
    """Return a size for people."""
    return "{:,.1f} MB".format(count / 1e6) if count < 100e6 else "{:,.0f} MB".format(count / 1e6)


def plain_name(name: str) -> bool:
    """Return whether a relative path stays below its folder: no root, no drive, no ``..``."""
    parts = name.split("/")
    return (
        bool(name)
        and "\\" not in name
        and "\0" not in name
        and not (name.startswith("/") or any(part in ("", ".", "..") for part in parts))
    )
