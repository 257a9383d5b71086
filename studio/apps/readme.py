"""Limits of an app, from the headings about limits in its README."""

from __future__ import annotations

import re

from studio.api import InvalidData
from studio.apps.files import AppFiles
from studio.documents.plain import plain

README = "README.md"
_MOST_BYTES = 1 << 20
_MOST_LINES = 40
_MOST_LINE = 1000
_HEADING = re.compile(r"#+\s+(.*)")
_ABOUT_LIMITS = re.compile(r"\blimit(s|ations?)?\b", re.IGNORECASE)


def readme_limits(files: AppFiles) -> tuple[tuple[str, ...], str]:
    """Return the lines about limits of an app's README, or why there are none."""
    try:
        path = files.path(README, "The description")
        with path.open("rb") as opened:
            text = opened.read(_MOST_BYTES).decode("utf-8", "replace")
    except InvalidData as error:
        return (), error.message
    except OSError:
        return (), f"{README} cannot be read."
    found = limit_lines(text)
    return found, "" if found else f"{README} has no heading about limits"


def limit_lines(text: str) -> tuple[str, ...]:
    """Return the lines below the headings of a Markdown text that name limits."""
    found: list[str] = []
    inside = False
    for line in text.splitlines():
        heading = _HEADING.match(line)
        if heading:
            inside = bool(_ABOUT_LIMITS.search(heading.group(1)))
        elif inside and line.strip():
            found.append(plain(line.strip().lstrip("-*+ "))[:_MOST_LINE])
    return tuple(found[:_MOST_LINES])
