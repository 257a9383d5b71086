"""The licence of a model, from a file in its folder."""

from __future__ import annotations

import re
from pathlib import Path

from studio.projects.discovery import inside

_NAMES = (
    *("LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "LICENCE.txt", "LICENCE.md"),
    *("license", "license.txt", "licence", "licence.txt", "COPYING"),
)
_MOST_BYTES = 16 * 1024
_LONGEST = 60
_KNOWN = (
    ("Apache-2.0", r"apache license,? version 2\.0"),
    ("AGPL-3.0", r"gnu affero general public license.{0,40}version 3"),
    ("LGPL", r"gnu lesser general public license"),
    ("GPL-3.0", r"gnu general public license.{0,40}version 3"),
    ("GPL-2.0", r"gnu general public license.{0,40}version 2"),
    ("MPL-2.0", r"mozilla public license.{0,20}2\.0"),
    ("MIT", r"mit license|permission is hereby granted, free of charge"),
    ("BSD", r"bsd [234]-clause|redistribution and use in source and binary forms"),
    ("CC0-1.0", r"cc0 1\.0"),
    ("CC-BY-NC-4.0", r"attribution-noncommercial 4\.0"),
    ("CC-BY-SA-4.0", r"attribution-sharealike 4\.0"),
    ("CC-BY-4.0", r"attribution 4\.0"),
)
"""Names of licences, and what stands at the beginning of their texts; without its version, BSD and
LGPL are a kind."""


def licence_file(folder: Path) -> Path | None:
    """Return the licence in a folder; None without one, or where it is a link out of the folder."""
    every = (folder / name for name in _NAMES)
    return next((one for one in every if one.is_file() and inside(one, folder)), None)


def licence_in(file: Path) -> str:
    """Return the name of the licence in a file, or the first line of an unknown one."""
    try:
        with file.open("rb") as opened:
            text = opened.read(_MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
    plain = " ".join(text.split())
    begin = plain[:2000].lower()
    known = next((name for name, pattern in _KNOWN if re.search(pattern, begin)), "")
    if known:
        return known
    first = "".join(char for char in plain[: _LONGEST + 1] if char.isprintable())
    return first if len(first) <= _LONGEST else f"{first[:_LONGEST]}…"
