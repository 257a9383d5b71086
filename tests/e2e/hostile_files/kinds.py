"""Hostile files as the tests know them, and the payload that shows whether it was run."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

STATUS = 86
"""Exit code of a process that has run a payload."""

ESCAPES = "\x1b]0;owned\x07\x1b[2J\r\n::error::owned\u202e"
"""What a terminal, a CI service or a reader would obey."""

Make = Callable[[Path, "Payload"], Path]


class Payload:
    """Code that leaves a canary and ends its process.

    Attributes:
        code: Python source. It works inside the walls, too: there the process ends at least.
    """

    def __init__(self, canary: Path) -> None:
        self.code = (
            "import os\n"
            f"for place in ({str(canary)!r}, os.path.expanduser('~/canary'), 'canary'):\n"
            "    try: open(place, 'w').close()\n"
            "    except OSError: pass\n"
            f"os._exit({STATUS})\n"
        )

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, (self.code,)

    def pickled(self, protocol: int = 2) -> bytes:
        """Return a pickle that runs the code when it is read."""
        return pickle.dumps(self, protocol)


@dataclass(frozen=True)
class Hostile:
    """A file, the command that gets it, and how that has to end.

    Attributes:
        words: A part of the sentence; the file's own name counts as nothing.
        command: ``{file}`` and ``{data}`` (a sound model) are replaced.
        has_pickle: Whether a reader without care runs the payload.
    """

    name: str
    make: Make
    words: str
    code: int = 1
    command: tuple[str, ...] = ("inspect", "{file}")
    has_pickle: bool = False


def written(name: str, content: bytes) -> Make:
    """Return a maker of a file that does not depend on the payload."""

    def make(folder: Path, payload: Payload) -> Path:
        path = folder / name
        path.write_bytes(content)
        return path

    return make


def made(name: str, content: Callable[[Payload], bytes]) -> Make:
    """Return a maker of a file that holds the payload."""

    def make(folder: Path, payload: Payload) -> Path:
        path = folder / name
        path.write_bytes(content(payload))
        return path

    return make


def linked(name: str, target: str) -> Make:
    """Return a maker of a symbolic link."""

    def make(folder: Path, payload: Payload) -> Path:
        os.symlink(target, folder / name)
        return folder / name

    return make
