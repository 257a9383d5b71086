"""A note on the disk that allows a server to keep requests; without it none is ever kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple, Optional, Tuple

from .documents import read_record

FILE = "sampling.json"
"""Beside the server's report, below the root of releases."""
FOLDER = "samples"
MOST = 10_000


class SamplingConfig(NamedTuple):
    """Limits on the samples that the file allows to be stored.

    Attributes:
        of: Digest of the release; no samples of other releases are stored.
        most: Number of samples stored at the same time.
        room: Bytes of all samples together.
    """

    of: str
    most: int
    room: int

    def content(self) -> bytes:
        """Of the file."""
        return json.dumps(self._asdict(), sort_keys=True).encode()


def sampling_for(source_path: Path, digest: str) -> Optional[Tuple[SamplingConfig, Path]]:
    """Return the limits for a release and its sample folder, or None if none may be stored."""
    for folder in source_path.parents:
        if folder.parent.name == "releases":
            break
    else:
        return None
    run = folder.parent.parent / "run"
    try:
        wish = read_record(SamplingConfig, json.loads((run / FILE).read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if wish.of != digest or not 0 < wish.most <= MOST or wish.room <= 0:
        return None
    return wish, run / FOLDER
