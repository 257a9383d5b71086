"""Lists of texts, one per line: names of classes, characters of a dictionary."""

from __future__ import annotations

from pathlib import Path

_MOST_BYTES = 4 * 1024 * 1024


def text_lines(path: Path | None) -> list[str]:
    """Return the lines of a list; none of one that is too long to be a list, or no text."""
    if path is None or not path.is_file():  # a pipe would never end
        return []
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        return []
    # Not splitlines: a dictionary may list characters that count as line ends for it.
    text = content.decode("utf-8-sig", "replace").replace("\r\n", "\n")
    return text.removesuffix("\n").split("\n")
