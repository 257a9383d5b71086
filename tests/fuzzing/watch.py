"""A watch over what a case may not do: open files elsewhere, write, start programs, connect."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2]
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.chmod", "os.link", "os.symlink",
            "os.truncate", "os.chown", "shutil.rmtree", "os.utime")  # fmt: skip
_PROGRAMS = ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system", "os.fork", "pty.spawn")
_NEVER = ("socket.connect", "socket.bind", "socket.getaddrinfo", "pickle.find_class",
          "ctypes.dlopen", "shelve.open", "marshal.load")  # fmt: skip


class Watch:
    """Notes what the cases of one target do outside of their folder.

    Attributes:
        seen: In words, of the current case.
    """

    def __init__(self, folder: Path, home: Path, programs: bool = False) -> None:
        self._folder = os.path.realpath(folder)
        self._programs = programs
        self._readable = tuple(
            os.path.realpath(place) + os.sep
            for place in {
                sys.prefix,
                sys.base_prefix,
                str(_ROOT),
                str(home),
                "/usr/lib",
                "/usr/share",
            }
        )
        self._active = False
        self.seen: list[str] = []
        sys.addaudithook(self._hear)

    @contextmanager
    def case(self) -> Iterator[None]:
        """Watch while this lasts."""
        self.seen = []
        self._active = True
        try:
            yield
        finally:
            self._active = False

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._active:
            return
        self._active = False  # nothing that the watch does itself
        try:
            found = self._judge(event, arguments)
        finally:
            self._active = True
        if found:
            self.seen.append(found)

    def _judge(self, event: str, arguments: tuple[Any, ...]) -> str:
        if event == "open":
            path, _, flags = arguments
            if isinstance(path, int) or path is None:
                return ""
            return self._opened(os.fsdecode(path), int(flags or 0))
        if event in _CHANGES and not self._is_of_a_folder(arguments):
            outside = [each for each in arguments if self._is_outside(each)]
            return f"{event} {outside[0]}" if outside else ""
        if event in _NEVER or (event in _PROGRAMS and not self._programs):
            return f"{event} {str(arguments)[:120]}"
        return ""

    @staticmethod
    def _is_of_a_folder(arguments: tuple[Any, ...]) -> bool:
        """Whether it names an open file, or something in an open folder, whose opening was seen."""
        return any(isinstance(each, int) and each >= 0 for each in (arguments[0], arguments[-1]))

    def _opened(self, path: str, flags: int) -> str:
        if not self._is_outside(path) or path in ("/dev/null", "/dev/urandom"):
            return ""
        if flags & _WRITES:
            return f"wrote {path}"
        is_known = os.path.realpath(path).startswith(self._readable)
        return "" if is_known else f"read {path}"

    def _is_outside(self, path: Any) -> bool:
        if not isinstance(path, str | bytes | os.PathLike):
            return False
        real = os.path.realpath(os.fsdecode(path))
        return real != self._folder and not real.startswith(self._folder + os.sep)
