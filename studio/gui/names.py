"""Names that come from a model, as they can be shown: one line, of bounded length, not reversed."""

from __future__ import annotations

import re

LONGEST = 240
"""Characters of a name that are shown; the middle of a longer one is left out."""

_UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
"""Control characters, line ends, what turns the writing round or takes no room, half characters."""

MARK = "\ufffd"


def shown(name: str) -> str:
    """Return a name with a mark for each character that would not be seen, or would hide others."""
    if len(name) > LONGEST:
        half = LONGEST // 2
        name = f"{name[:half]}…{name[-half:]}"
    return _UNSEEN.sub(MARK, name)
