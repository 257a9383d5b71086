"""A model that is split into several files: the list of them next to the first."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import List

from ..shared.errors import LoadError

_MOST = 1000
_LONGEST = 200_000


def list_file(first: Path) -> Path:
    """Return the file that lists the parts after the first, a line each."""
    return first.with_name(first.name + ".parts")


def parts_of(first: Path) -> List[Path]:
    """Return the files of a model in their order; the first alone where there is no list.

    Raises:
        LoadError: when the list is damaged, or names a file that is not there.
    """
    try:
        with list_file(first).open(encoding="utf-8") as file:
            lines = file.read(_LONGEST).splitlines()
    except FileNotFoundError:
        return [first]
    except (OSError, ValueError):
        raise LoadError("The list of the parts of {} is damaged.".format(first.name)) from None
    found = [first]
    for line in lines:
        name = PurePosixPath(line)
        if name.is_absolute() or ".." in name.parts or len(lines) > _MOST:
            raise LoadError("The list of the parts of {} is damaged.".format(first.name))
        if not (first.parent / name).is_file():
            raise LoadError("The part {} of {} is missing.".format(line[:100], first.name))
        found.append(first.parent / name)
    return found
