"""The notice of a bundle for the people who use what it serves, as ``notice.json`` has it."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any, Dict, NamedTuple, Optional, Tuple

from .documents import read_record

FILE = "notice.json"
MOST_BYTES = 256 * 1024
MOST_TEXT = 2000
"""Characters of each text; what is longer ends with dots."""
MOST_LINES = 40

_HIDDEN = {
    **dict.fromkeys((*range(9), *range(11, 32), *range(127, 160))),
    **dict.fromkeys((*range(8234, 8239), *range(8294, 8298), 8206, 8207)),
}
"""Control characters, and marks that turn the direction of a text."""


class GroupNotice(NamedTuple):
    """The measured quality of the group with the lowest one.

    Attributes:
        title: Name of the metric.
        overall: Value of all samples.
        low, high: 95 % interval of the value; None without one.
    """

    title: str
    column: str
    group: str
    samples: int
    value: float
    overall: float
    low: Optional[float] = None
    high: Optional[float] = None

    @property
    def is_finite(self) -> bool:
        """Whether all of its numbers can be shown."""
        numbers = (self.value, self.overall, self.low, self.high)
        return all(one is None or math.isfinite(one) for one in numbers)


class UserNotice(NamedTuple):
    """Statements of the provider about a release; an empty text is not stated.

    Attributes:
        purpose: What it is meant for.
        misuse: Uses that are not allowed.
        limits: Where it is known to fail.
        known_limits: Further limits, a line each.
        provider: Who provides it, with a contact.
        feedback: How problems are reported.
        oversight: Who oversees it, and how a person stops or overrides it.
        appeal: How a person objects, or has an answer reviewed.
        personal: Personal data in inputs or answers.
        retention: Where records are kept, and for how long.
        worst: The group with the lowest measured quality; None where none was measured.
    """

    purpose: str = ""
    misuse: str = ""
    limits: str = ""
    known_limits: Tuple[str, ...] = ()
    provider: str = ""
    feedback: str = ""
    oversight: str = ""
    appeal: str = ""
    personal: str = ""
    retention: str = ""
    worst: Optional[GroupNotice] = None

    @classmethod
    def of(cls, document: object) -> UserNotice:
        """Return the notice of a document; one that states nothing for nonsense."""
        try:
            return read_record(cls, document).bounded()
        except (ValueError, KeyError, TypeError, AttributeError):
            return cls()

    def bounded(self) -> UserNotice:
        """Return the same with texts of bounded length, without hidden characters."""
        texts: Dict[str, Any] = {name: brief(getattr(self, name)) for name in TEXTS}
        lines = tuple(filter(None, map(brief, self.known_limits[:MOST_LINES])))
        worst = self.worst
        if worst is not None:
            named: Dict[str, Any] = {name: brief(getattr(worst, name))[:200] for name in _NAMES}
            worst = worst._replace(**named) if worst.is_finite else None
        return self._replace(**texts)._replace(known_limits=lines, worst=worst)

    def to_json(self) -> Dict[str, object]:
        """Return the document, without what is not stated."""
        found: Dict[str, object] = {name: value for name, value in self._asdict().items() if value}
        if self.known_limits:
            found["known_limits"] = list(self.known_limits)
        if self.worst is not None:
            found["worst"] = dict(self.worst._asdict())
        return found


_NAMES = ("title", "column", "group")
TEXTS = tuple(name for name in UserNotice._fields if name not in ("known_limits", "worst"))
"""Names of the texts."""


def brief(text: str) -> str:
    """Return a text without hidden characters, and with dots in place of what is too long."""
    shown = text[: 2 * MOST_TEXT].translate(_HIDDEN).strip()
    return shown if len(shown) <= MOST_TEXT else shown[: MOST_TEXT - 2].rstrip() + " …"


def _content(path: Path) -> bytes:
    # Without O_NONBLOCK, a pipe in its place would be waited for.
    descriptor = os.open(str(path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(MOST_BYTES + 1)


def notice_in(folder: Path) -> UserNotice:
    """Return the notice of a bundle; one that states nothing without a file, or for nonsense."""
    try:
        content = _content(folder / FILE)
        if len(content) > MOST_BYTES:
            return UserNotice()
        return UserNotice.of(json.loads(content.decode("utf-8")))
    except (OSError, ValueError, RecursionError):
        return UserNotice()
