"""Search of a record of decisions for one request, without reading what cannot have it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import List, Optional

from .entry import DECISION, ChainEntry, read_entry
from .log import Segment, lines_of, segments_of

_DAY_S = 86_400
_LATEST_S = 1 << 33


def find_request(folder: Path, request: str) -> Optional[ChainEntry]:
    """Return the decision on a request; None for an unknown or forgotten one.

    Args:
        request: Its id, which begins with the time in milliseconds, in hexadecimal.
    """
    wanted = '"request":"{}"'.format(request).encode("ascii")
    for segment in _nearest_first(segments_of(folder), request):
        try:
            for line in lines_of(segment.path):
                entry = read_entry(line) if wanted in line else None
                if entry is not None and entry.event == DECISION and not entry.fault:
                    return entry
        except FileNotFoundError:  # it has just become too old
            continue
    return None


def _nearest_first(segments: List[Segment], request: str) -> List[Segment]:
    """Order segments by how far their days are from that of a request, the likeliest first."""
    second = min(int(request.partition("-")[0], 16) // 1000, _LATEST_S)
    day, before = _day(second), _day(max(second - _DAY_S, 0))  # a segment ends after its midnight
    likely = [one for one in segments if before <= one.day <= day]
    return likely[::-1] + [one for one in segments[::-1] if one not in likely]


def _day(second: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(second))
