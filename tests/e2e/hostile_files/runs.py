"""Runs of the real command: its words, the memory that it took, and the files that it left."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
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


_TIMEOUT = shutil.which("timeout") or "timeout"

_LAUNCHER = """\
import os, sys
figures, *words = sys.argv[1:]
os.set_inheritable(int(figures), False)
pid = os.posix_spawn(words[0], words, os.environ)
_, status, usage = os.wait4(pid, 0)
os.write(int(figures), b"%d %d" % (status, usage.ru_maxrss))
"""
_LAUNCH = (sys.executable, "-I", "-S", "-c", _LAUNCHER)
"""A small process in between: Linux counts the memory of a process that starts another one as that
of the new one, and the tests' own process may have held more than any command."""


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
        figures, ours = os.pipe()
        with os.fdopen(figures) as reported:
            subprocess.run(
                [*_LAUNCH, str(ours), _TIMEOUT, "--kill-after=5", str(seconds), program, *words],
                env=studio.environment,
                cwd=studio.home,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                pass_fds=(ours,),
                check=True,
            )
            os.close(ours)
            status, kilobytes = map(int, reported.read().split())
        texts = [
            os.pread(file.fileno(), 1 << 24, 0).decode(errors="surrogateescape")
            for file in (out, err)
        ]
    after = files_below(watched, studio.home)
    written = tuple(sorted(name for name, _ in before.items() ^ after.items()))
    code = os.waitstatus_to_exitcode(status)
    return HostileRun(code, *texts, kilobytes / 1024, written)


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
