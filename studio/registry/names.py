"""Names as single components of a path, from untrusted sources."""

from __future__ import annotations

import re
from pathlib import Path

from studio.api import Refused

LONGEST = 255
"""Limit of file systems for a component of a path, in bytes."""

LONGEST_NAME = 200
"""Limit for a name to which a number or a suffix is added, in bytes."""

_REPLACED = "/\\"
_NUMBER = re.compile("[0-9]+")
_MOST_DIGITS = 30


def is_component(name: str, longest: int = LONGEST_NAME) -> bool:
    """Return whether a name can be one visible component of a path.

    It has no separator, no ``..``, no leading dot, no unprintable character, no space at its ends.
    """
    return (
        isinstance(name, str)
        and 0 < len(name.encode("utf-8", "replace")) <= longest
        and name.isprintable()
        and name == name.strip()
        and not name.startswith(".")
        and not any(sign in name for sign in _REPLACED)
    )


def component(name: str, what: str = "A file", longest: int = LONGEST_NAME) -> str:
    """Return a name if it can be one component of a path.

    Args:
        what: Description of the named object, for the message.

    Raises:
        Refused: when it leads outside, or cannot be displayed as it is.
    """
    if not is_component(name, longest):
        raise Refused(
            f"{what} cannot be named {str(name)[:80]!r}.",
            hint="A name has no slash, no line break, and does not begin with a dot.",
        )
    return name


def component_of(text: str, longest: int = LONGEST) -> str:
    """Return a name made from any text; a valid name is unchanged."""
    if is_component(text, longest):
        return text
    shown = "".join(sign if sign.isprintable() and sign not in _REPLACED else "-" for sign in text)
    short = shown.encode("utf-8", "replace")[:longest].decode("utf-8", "ignore")
    return short.strip(" .") or "unnamed"


def natural_order(name: str) -> str:
    """Return a key for sorting by which ``cam-2`` comes before ``cam-10``."""
    return f"{_NUMBER.sub(_with_length, name)}\0{name}"


def _with_length(number: re.Match[str]) -> str:
    digits = number[0].lstrip("0")
    return chr(1 + min(len(digits), _MOST_DIGITS)) + digits


def below(folder: Path, name: str | Path) -> Path:
    """Return a path below a folder from a name in a result or listing; links are resolved.

    Raises:
        Refused: when the path is outside of the folder.
    """
    path, home = (folder / name).resolve(), folder.resolve()
    if path == home or not path.is_relative_to(home):
        detail = f"{path} is not in {home}"
        raise Refused(f"{str(name)[:80]!r} lies outside its folder.", detail=detail)
    return folder / name
