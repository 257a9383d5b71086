"""What a name under which a server answers may look like."""

from __future__ import annotations

import re

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_PATTERN = re.compile(r"\*|(\*\.)?{0}(\.{0})*".format(_LABEL))
_LONGEST = 253


def is_host_pattern(text: str) -> bool:
    """Whether it is ``name.example.com``, ``*.example.com`` or ``*``, in small letters."""
    return len(text) <= _LONGEST and _PATTERN.fullmatch(text) is not None
