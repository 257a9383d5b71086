"""Counts stored in a small file while no studio is connected, for a later read.

Two files of one size take turns, so that the newest lines are always there and the folder never
holds more than both. A disk that is full loses lines, and the next one that fits contains their
number. Lines are identified by number: a clock that jumps changes their times, not their order.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Callable, Dict, List, Mapping, Optional

NAME = "telemetry.jsonl"
LARGEST = 128 * 1024
"""Bytes of each of the two files: some ten hours of minutes."""
_JUMP_S = 5.0


class OfflineLog:
    """Lines of plain data in a folder.

    Args:
        largest: Bytes of each of the two files.
    """

    def __init__(
        self,
        folder: Path,
        largest: int = LARGEST,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = folder / NAME
        self._old = folder / (NAME + ".1")
        self._largest = largest
        self._wall, self._steady = wall, steady
        self._offset: Optional[float] = None
        self._lost = 0
        self._number = max(map(_number, self.read()), default=0)

    def append(self, facts: Mapping[str, object]) -> bool:
        """Add a line; False where the disk took none."""
        line: Dict[str, object] = {**facts, "n": self._number + 1, "at": round(self._wall(), 3)}
        offset = self._wall() - self._steady()
        if self._offset is not None and abs(offset - self._offset) > _JUMP_S:
            line["clock_jumped_s"] = round(offset - self._offset, 1)
        if self._lost:
            line["lost"] = self._lost
        self._offset = offset
        content = json.dumps(line, sort_keys=True, separators=(",", ":")).encode() + b"\n"
        try:
            if self._size() + len(content) > self._largest:
                os.replace(str(self._path), str(self._old))
            self._write(content)
        except OSError:
            self._lost += 1
            return False
        self._number += 1
        self._lost = 0
        return True

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    def _write(self, content: bytes) -> None:
        """Write a line; a torn one (a full disk, a power cut) is ended by the next and ignored."""
        torn = False
        try:
            with self._path.open("rb") as file:
                file.seek(-1, os.SEEK_END)
                torn = file.read(1) != b"\n"
        except OSError:
            pass
        descriptor = os.open(str(self._path), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            whole = b"\n" + content if torn else content
            if os.write(descriptor, whole) != len(whole):
                raise OSError("the disk is full")
        finally:
            os.close(descriptor)

    def read(self, after: int = 0) -> List[Dict[str, object]]:
        """Return the lines behind a number, the oldest first; damaged ones are passed over."""
        found: List[Dict[str, object]] = []
        for path in (self._old, self._path):
            try:
                content = path.read_bytes()
            except OSError:
                continue
            for row in content.splitlines():
                try:
                    line = json.loads(row.decode("utf-8"))
                except ValueError:
                    continue
                if isinstance(line, dict) and _number(line) > after:
                    found.append(line)
        return found


def _number(line: Mapping[str, object]) -> int:
    number = line.get("n")
    return number if isinstance(number, int) else 0
