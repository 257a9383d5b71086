"""How long the runs that a worker's threads are in have lasted, looked at now and then."""

from __future__ import annotations

import time
from typing import Dict, Iterable


class Longest:
    """Knows a run from the first look at it: it is younger than said by one pause at most."""

    def __init__(self) -> None:
        self._seen: Dict[object, float] = {}

    def look(self, running: Iterable[object]) -> float:
        """Seconds since the oldest of what is running was first seen; 0 without any."""
        now = time.monotonic()
        self._seen = {run: self._seen.get(run, now) for run in running}
        return now - min(self._seen.values(), default=now)
