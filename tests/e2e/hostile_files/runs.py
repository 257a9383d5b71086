"""Runs of the real command: its words, the memory that it took, and the files that it left."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.conftest import STUDIO, Studio

_LONGEST = 4096
_OBEYED = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069"
    "\ud800-\udfff]|^\\s*::\\w|##\\[",
    re.MULTILINE,
)
"""What a terminal or a CI service obeys, or a reader does not see."""

_WORDS_OF_DEFECTS = ("Traceback", "This is a bug", "ended with status", "was killed by")


@dataclass(frozen=True)
class HostileRun:
    """The end of a command.

    Attributes:
        megabytes: The most that one of its processes has held.
        written: Files that are new, changed or gone.
    """

    code: int
    out: str
    err: str
    megabytes: float
    written: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The first line of standard error."""
        return self.err.partition("\n")[0]

    @property
    def faults(self) -> list[str]:
        """What is wrong with it, whatever the file was."""
        return list(self._faults())

    def _faults(self) -> Iterator[str]:
        if self.written:
            yield f"written: {self.written}"
        if found := _OBEYED.search(self.out + self.err):
            yield f"obeyed: {found[0]!r}"
        lines = self.err.splitlines()
        is_sentence = self.sentence.startswith("studio: ") and self.sentence.endswith(".")
        is_hint = all(line.startswith(" " * 8) for line in lines[1:])
        if not is_sentence or not is_hint or len(lines) > 2 or len(self.err) > _LONGEST:
            yield f"lines: {self.err[:_LONGEST]}"
        yield from (f"defect: {word}" for word in _WORDS_OF_DEFECTS if word in self.sentence)


def run(
    words: Sequence[str],
    studio: Studio,
    seconds: float,
    watched: Path,
    program: str = os.fspath(STUDIO),
) -> HostileRun:
    """Run a command to its end; one that does not end in time is ended.

    Args:
        watched: A folder in which it has to leave everything as it is.
    """
    before = files_below(watched, studio.home)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begun = subprocess.Popen(
            ["timeout", "--kill-after=5", str(seconds), program, *words],
            env=studio.environment,
            cwd=studio.home,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )
        _, status, usage = os.wait4(begun.pid, 0)
        begun.returncode = os.waitstatus_to_exitcode(status)
        texts = [
            os.pread(file.fileno(), 1 << 24, 0).decode(errors="surrogateescape")
            for file in (out, err)
        ]
    after = files_below(watched, studio.home)
    written = tuple(sorted(name for name, _ in before.items() ^ after.items()))
    return HostileRun(begun.returncode, *texts, usage.ru_maxrss / 1024, written)


def files_below(*folders: Path) -> dict[str, tuple[int, int]]:
    """Return all files with mode and time, but for those of the studio's own home."""
    found = {}
    for folder in folders:
        for parent, names, files in os.walk(folder):
            names[:] = [name for name in names if name != "edgewright"]
            for name in (*names, *files):
                about = os.lstat(os.path.join(parent, name))
                time = 0 if name in names else about.st_mtime_ns
                found[os.path.join(parent, name)] = (about.st_mode, time)
    return found
