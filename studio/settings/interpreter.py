"""Python as a command that runs nothing of the folder in which it is started.

The folder of an untrusted model may hold a ``numpy.py``: Python would import it wherever
the current folder is a place to import from, and a program of the right name wherever it is one to
look for programs in.
"""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping

FIRST = "import sys; sys.path[:] = [place for place in sys.path if place]"
"""First statement of what ``python -c`` runs on another machine, where ``-P`` (Python 3.11) may be
unknown and ``-I`` would hide libraries of the user that it shall find."""

_SEARCHED = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")


def own_python(*words: str) -> list[str]:
    """Return this interpreter's command, which imports nothing from the current folder."""
    return [sys.executable, "-P", *words]


def search_no_current_folder(environment: MutableMapping[str, str]) -> None:
    """Keep only absolute places in the lists in which programs and libraries are searched.

    An empty entry, as in ``PATH=:/usr/bin``, means the current folder. A list without any place is
    taken away whole, because an empty ``PYTHONPATH`` is none, and an empty ``PATH`` means the same.
    """
    for name in _SEARCHED:
        if name in environment:
            places = [p for p in environment[name].split(os.pathsep) if os.path.isabs(p)]
            environment[name] = os.pathsep.join(places)
            if not places:
                del environment[name]
