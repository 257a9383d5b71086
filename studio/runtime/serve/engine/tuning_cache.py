"""How a release is best run, as it was found by trying: a rollback need not try again.

To find it takes several sessions and many runs. Under load, while the release that is to go holds
the processors, that would be most of the time until the earlier one answers.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any, Dict, NamedTuple, Optional

_MOST = 8


class Found(NamedTuple):
    """What was found.

    Attributes:
        seconds: Of a run on one thread.
        threads: Of a run.
        arena: Whether onnxruntime keeps the memory of its runs.
        rows: Of several requests that may be run together.
    """

    seconds: float
    threads: int
    arena: bool
    rows: int


class Tried:
    """A file with what was found for the releases of one root.

    Args:
        path: The file; None keeps nothing.
        conditions: What else the findings depend on, in one line; under others they do not count.
    """

    def __init__(self, path: Optional[Path], conditions: str) -> None:
        self._path = path
        self._conditions = conditions

    def recall(self, digest: str) -> Optional[Found]:
        """What was found for a release; None when it was not tried, or the file is damaged."""
        kept = self._read().get(digest) or {}
        if not isinstance(kept, dict) or kept.get("conditions") != self._conditions:
            return None
        try:
            return Found(
                float(kept["seconds"]),
                max(1, int(kept["threads"])),
                bool(kept["arena"]),
                max(1, int(kept["rows"])),
            )
        except (KeyError, TypeError, ValueError):
            return None

    def keep(self, digest: str, found: Found) -> None:
        """Remember it; a disk that does not take it is no reason not to serve."""
        if self._path is None:
            return
        entries = self._read()
        entries.pop(digest, None)
        entries[digest] = dict(found._asdict(), conditions=self._conditions)
        newest = dict(list(entries.items())[-_MOST:])
        aside = self._path.with_name(".{}.{}".format(self._path.name, os.getpid()))
        try:
            aside.write_text(json.dumps(newest), encoding="utf-8")
            os.replace(str(aside), str(self._path))
        except OSError:
            with contextlib.suppress(OSError):
                aside.unlink()

    def _read(self) -> Dict[str, Any]:
        if self._path is None:
            return {}
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}
