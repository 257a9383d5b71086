"""What native code prints, caught at the file descriptors.

Used by the tools next to it: the standard library alone; nothing of the studio.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

_PRINTED = (1, 2)
_MOST_PRINTED = 1 << 28


class Printed:
    """The text of one call, empty until the call has ended."""

    text = ""


@contextmanager
def caught() -> Iterator[Printed]:
    """Catch standard output and standard error of this process, of native code, too."""
    found = Printed()
    with tempfile.TemporaryFile() as file:
        _flush()
        kept = [os.dup(number) for number in _PRINTED]
        try:
            for number in _PRINTED:
                os.dup2(file.fileno(), number)
            yield found
        finally:
            _flush()
            for number, own in zip(_PRINTED, kept, strict=True):
                os.dup2(own, number)
                os.close(own)
            file.seek(0)
            found.text = file.read(_MOST_PRINTED).decode(errors="replace")


def one_line(text: str, longest: int = 500) -> str:
    """Return a text without line breaks and without its last full stop."""
    return " ".join(text.split()).rstrip(".")[:longest]


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
