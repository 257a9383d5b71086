"""A note on the disk that lets a server keep a record of its decisions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple, Optional

from ..shared.documents import read_record

FILE = "decisions.json"
"""In the folder of the server's report, below the root of releases."""
FOLDER = "decisions"
MOST_DAYS = 36_500
MOST_ROOM = 1 << 40


class KeepingConfig(NamedTuple):
    """Term and size of a record of decisions.

    Attributes:
        days: After which its segments are deleted.
        room: Bytes of all segments together; what comes beyond is counted, and not kept.
        on: Whether decisions are recorded; if not, what is there still grows old.
    """

    days: int
    room: int
    on: bool = True

    def content(self) -> bytes:
        """Of the file."""
        return json.dumps(self._asdict(), sort_keys=True).encode()

    @property
    def is_possible(self) -> bool:
        """Whether the numbers have a sense."""
        return 0 < self.days <= MOST_DAYS and 0 < self.room <= MOST_ROOM


def config_in(run: Path) -> Optional[KeepingConfig]:
    """Return the note in the folder of a server's files; None without one, or for nonsense."""
    try:
        found = read_record(KeepingConfig, json.loads((run / FILE).read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if found.is_possible else None


def run_folder_beside(source: Path) -> Optional[Path]:
    """Return the folder of the server's files for a file of a release; None for a bare file."""
    for folder in source.parents:
        if folder.parent.name == "releases":
            return folder.parent.parent / "run"
    return None
