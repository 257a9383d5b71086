"""Counts kept in a small file while nobody asks: what a studio reads when the link is up again.

Two files of one size take turns, so that the newest lines are always there and the folder never
holds more than both. A disk that is full loses lines, and the next one that fits says how many.
Lines are told apart by their number: a clock that jumps changes their times, not their order.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional
from urllib.parse import parse_qs

from ..http.exchange import Exchange
from ..http.message import HttpError, Response
from ..release_root import run_folder_of
from .router import Route

if TYPE_CHECKING:
    from ..engine.served_model import ServedModel
    from ..service import Service

NAME = "telemetry.jsonl"
EVERY_S = 60.0
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
        self._number = max((int(line.get("n") or 0) for line in self.read()), default=0)

    def append(self, facts: Mapping[str, Any]) -> bool:
        """Add a line; False where the disk took none."""
        line: Dict[str, Any] = {**facts, "n": self._number + 1, "at": round(self._wall(), 3)}
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
        """A torn line (a full disk, a power cut) is ended by the next one, and passed over."""
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

    def read(self, after: int = 0) -> List[Dict[str, Any]]:
        """The lines behind a number, the oldest first; damaged ones are passed over."""
        found: List[Dict[str, Any]] = []
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
                if isinstance(line, dict) and int(line.get("n") or 0) > after:
                    found.append(line)
        return found


def counts_of(model: ServedModel) -> Dict[str, Any]:
    """What a minute's line holds of a model: counters since it was loaded, and its drift."""
    counted, now = model.statistics, time.monotonic()
    counted.settle()
    latency = counted.latency_ms(now)
    found: Dict[str, Any] = {
        "model": model.name,
        "version": model.version,
        "requests": counted.requests,
        "errors": counted.errors,
        "p50": latency.get("p50"),
        "p99": latency.get("p99"),
    }
    if model.drift is not None:
        alarm = model.drift.alarm
        found["drift"] = [int(alarm.on), alarm.windows, alarm.differing]
    return found


def ledger_of(model: ServedModel) -> Optional[OfflineLog]:
    """The ledger below the root that a release lies in; None for a bare file."""
    run = run_folder_of(model.source.path)
    return OfflineLog(run) if run is not None else None


async def keep(service: Service, every_s: float = EVERY_S) -> None:
    """Write a line for each model every minute, until the server ends."""
    ledger: Optional[OfflineLog] = None
    while True:
        await asyncio.sleep(every_s)
        for model in service.repository.all():
            if ledger is None:
                ledger = service.ledger = ledger_of(model)
            if ledger is not None:
                ledger.append(counts_of(model))


def telemetry(service: Service, exchange: Exchange, names: Mapping[str, str]) -> Response:
    """The lines behind a number: ``?after=N``."""
    text = parse_qs(exchange.request.query).get("after", ["0"])[0]
    if not (text.isascii() and text.isdigit()) or len(text) > 15:
        raise HttpError(400, "The number after which lines are wanted must be a whole one.")
    models = service.repository.all()
    ledger = service.ledger or (ledger_of(models[0]) if models else None)
    return Response.of({"lines": [] if ledger is None else ledger.read(int(text))})


ROUTES = (Route("GET", "/edgewright/telemetry", telemetry),)
