"""The one component of a path that a name may become, wherever the name comes from."""

from __future__ import annotations

from pathlib import Path

from studio.api import Refused

LONGEST = 255
"""Bytes that a file system takes for one component."""

LONGEST_NAME = 200
"""Bytes of a name that gets something behind it: a number, a suffix."""

_REPLACED = "/\\"


def is_component(name: str, longest: int = LONGEST_NAME) -> bool:
    """Whether a name can be one component of a path, seen as what it is.

    No separator, no ``..``, nothing hidden, no sign that does not print, no space at its ends.
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
    """The name, if it can be one component of a path.

    Args:
        what: What is called so, for the sentence.

    Raises:
        Refused: when it would lead elsewhere, or cannot be shown as it is.
    """
    if not is_component(name, longest):
        raise Refused(
            f"{what} cannot be called {str(name)[:80]!r}.",
            hint="A name has no slash, no line break, and does not begin with a dot.",
        )
    return name


def component_of(text: str, longest: int = LONGEST) -> str:
    """A name that is made of any text; equal where the text can be one itself."""
    if is_component(text, longest):
        return text
    shown = "".join(sign if sign.isprintable() and sign not in _REPLACED else "-" for sign in text)
    short = shown.encode("utf-8", "replace")[:longest].decode("utf-8", "ignore")
    return short.strip(" .") or "unnamed"


def below(folder: Path, name: str | Path) -> Path:
    """A path below a folder, as a worker or a listing names it; links lead nowhere else.

    Raises:
        Refused: when it lies elsewhere.
    """
    path, home = (folder / name).resolve(), folder.resolve()
    if path == home or not path.is_relative_to(home):
        detail = f"{path} is not in {home}"
        raise Refused(f"{str(name)[:80]!r} lies outside its folder.", detail=detail)
    return folder / name
