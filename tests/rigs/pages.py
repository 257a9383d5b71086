"""Runnable code of the documentation: found by its marks, run as a reader would, in a fresh home.

A mark is a comment of HTML on the line before a block of code (fenced, or indented by four)::

    <!-- runnable -->                     it is run by tests/e2e/test_pages.py
    <!-- runnable: board -->              it is run beside a board of that name (BOARD, below)
    <!-- runnable: fails -->              it is run, and must end with an error
    <!-- file: call.py -->                it is written into this file, for the blocks that follow
    <!-- not runnable: REASON -->         it is not run, and why

The blocks of a page are one session of a shell, in their order: a folder that one has entered is
still entered in the next. Blocks of Python and JavaScript are programs of their own.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_MARK = re.compile(r"<!-- (runnable|not runnable|file)(?:: (.+?))? -->")
_FENCE = re.compile(r"```(\w*)\s*$")
_PROGRAMS = {"python": "python3 -", "javascript": "node --input-type=module -"}
_SHELLS = ("", "sh", "bash")
_COPIED = ("Makefile", "pyproject.toml", "requirements.lock", "requirements-dev.lock")
_HANGS_S = 3600
"""After so long a command waits for something that does not come."""


@dataclass(frozen=True)
class Block:
    """A piece of code.

    Attributes:
        line: Of its first line in the page, from 1.
        mark: ``runnable``, ``not runnable``, ``file``, or nothing.
        about: What the mark says besides.
    """

    line: int
    language: str
    code: str
    mark: str = ""
    about: str = ""

    @property
    def is_run(self) -> bool:
        """Whether it is part of the session."""
        return self.mark in ("runnable", "file")


def blocks(text: str) -> Iterator[Block]:
    """All code of a page, fenced, and indented where it is marked."""
    lines = text.splitlines()
    number, mark = 0, ("", "")
    while number < len(lines):
        line = lines[number]
        if found := _MARK.fullmatch(line.strip()):
            mark = (found[1], found[2] or "")
        elif found := _FENCE.fullmatch(line):
            end = lines.index("```", number + 1)
            yield Block(number + 2, found[1], "\n".join(lines[number + 1 : end]) + "\n", *mark)
            number, mark = end, ("", "")
        elif mark[0] and line.startswith("    "):
            end = number
            while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
                end += 1
            code = "\n".join(one[4:] for one in lines[number:end]).rstrip() + "\n"
            yield Block(number + 1, "", code, *mark)
            number, mark = end - 1, ("", "")
        elif line.strip():
            mark = ("", "")
        number += 1


def checkout(folder: Path) -> Path:
    """A folder that looks like this checkout to who reads it; what is written stays in it.

    The environment is the tests' own: dates are set back, so that make does not build it anew.
    """
    folder.mkdir()
    for entry in ROOT.iterdir():
        if entry.name in _COPIED:
            os.utime(shutil.copy(entry, folder / entry.name), (0, 0))
        elif entry.name not in (".git", "build", "dist"):
            (folder / entry.name).symlink_to(entry)
    return folder


def script(name: str, code: Sequence[Block]) -> str:
    """The session of a page as one script, which says each block before it is begun."""
    lines = ["set -eu -o pipefail"]
    for block in code:
        lines.append(f"echo '### {name}:{block.line}' >&2")
        if block.mark == "file":
            lines += [
                f"cat > {shlex.quote(block.about)} <<'END_OF_BLOCK'",
                block.code + "END_OF_BLOCK",
            ]
        elif block.language in _PROGRAMS:
            lines += [f"{_PROGRAMS[block.language]} <<'END_OF_BLOCK'", block.code + "END_OF_BLOCK"]
        elif block.language in _SHELLS and block.about == "fails":
            lines += ["if (", block.code + "); then", "echo 'it did not fail' >&2; exit 1; fi"]
        elif block.language in _SHELLS:
            lines.append(block.code)
        else:
            raise ValueError(f"{name}:{block.line}: nothing runs {block.language}")
    return "\n".join([*lines, ""])


def run(
    name: str, code: Sequence[Block], folder: Path, home: Path
) -> subprocess.CompletedProcess[str]:
    """Run a page in network and process namespaces of its own: what it starts ends with it."""
    home.mkdir()
    file = folder.parent / f"{name}.sh"
    file.write_text("ip link set lo up\n" + script(name, code))
    kept = ("PATH", "LANG", "LC_ALL", "ORT_DISABLE_TELEMETRY", "EDGEWRIGHT_SERVICE")
    environment = {key: os.environ[key] for key in kept if key in os.environ}
    own = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    unshare = ["unshare", *own, "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    return subprocess.run(
        [*unshare, "bash", str(file)],
        cwd=folder,
        env={**environment, "HOME": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_HANGS_S,
        check=False,
    )
