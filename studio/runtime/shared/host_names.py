"""The names under which a server answers, as they are configured."""

from __future__ import annotations

import re

ALLOWED_HOSTS = "EDGEWRIGHT_ALLOWED_HOSTS"
"""Variable with more of the names, separated by commas; a supervisor sets it for its workers, as
those of an older release do not know the option."""

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_PATTERN = r"\*|(\*\.)?{0}(\.{0})*".format(_LABEL)
_LONGEST = 253


def is_host_pattern(text: str) -> bool:
    """Return whether it is ``name.example.com``, ``*.example.com`` or ``*``, in small letters."""
    return len(text) <= _LONGEST and re.fullmatch(_PATTERN, text) is not None
