"""A note on the disk that asks a server to hold its release against an earlier one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple, Optional, Tuple

from .documents import read_record

FILE = "mirror.json"
"""Beside the server's report, below the root of releases."""
TRIAL_SHARE = 0.2
"""Of one core, while a release is on trial."""
MOST_SHARE = 0.5


class TrialRequest(NamedTuple):
    """Comparison with an earlier release that the file requests.

    Attributes:
        of: Digest of the release on trial.
        release: Digest of the release that it is compared with.
        beyond: Times as slow from which a stretch of runs counts as slower.
        share: Of one core that the comparison takes at most.
        timed: How fast both are is compared, too; else answers alone.
        diverging: Divergence in nats of a token from which a written answer counts as diverging.
        golden: Golden samples are compared, too, while clients are quiet.
    """

    of: str
    release: str
    beyond: float
    share: float = TRIAL_SHARE
    timed: bool = True
    diverging: float = 0.01
    golden: bool = False

    def content(self) -> bytes:
        """Of the file."""
        return json.dumps(self._asdict(), sort_keys=True).encode()


def wish_for(
    source_path: Path, digest: str, beside: Optional[Path] = None
) -> Optional[Tuple[TrialRequest, Path]]:
    """Return the comparison requested for a release and the other's folder, or None.

    Args:
        beside: Root of the releases if it is not among them (in a container).
    """
    root = beside or _root_of(source_path)
    if root is None:
        return None
    try:
        wish = read_record(TrialRequest, json.loads((root / "run" / FILE).read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    name = wish.release
    if (
        not 0.0 < wish.share <= MOST_SHARE
        or wish.of != digest
        or len(name) != 64
        or not set(name) <= set("0123456789abcdef")
    ):
        return None
    return wish, root / "releases" / name


def _root_of(file: Path) -> Optional[Path]:
    for folder in file.parents:
        if folder.parent.name == "releases":
            return folder.parent.parent
    return None
