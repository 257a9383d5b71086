"""The heartbeat of a board: its state now, and counts since each of its releases was loaded."""

from __future__ import annotations

import json
import platform
import time
from pathlib import Path
from typing import Dict, List, Mapping, Optional

from ...fleet.outbox import Outbox
from ...fleet.settings import FleetSettings
from ...main import RUNTIME_VERSION
from ..engine.served_model import ServedModel
from ..rest.status import memory_bytes
from ..service import Service
from ..statistics.board_state import BoardHistory

Json = Dict[str, object]
FORM = 1
"""Number of the form of messages."""

MOST_BYTES = 48 * 1024
_CERTIFICATE_DAYS = 30.0
_DISK_SHARE = 0.05


def heartbeat(
    service: Service,
    settings: FleetSettings,
    outbox: Outbox,
    number: int,
    runs: List[Json],
    counter: int,
) -> Json:
    """Return the message.

    Args:
        number: Of this message among those of the process, from 1.
        runs: Counts of all runs, the newest first.
        counter: Of the release; 0 where it has none.
    """
    models = service.repository.all()
    first = models[0] if models else None
    board = service.machine.state()
    return {
        "form": FORM,
        "board": settings.board,
        "series": outbox.identity.series,
        "start": outbox.identity.start,
        "boot": outbox.boot,
        "seq": number,
        "at": round(time.time(), 3),
        "every_s": settings.every_s,
        "uptime_s": round(service.uptime_s, 1),
        "labels": dict(settings.labels),
        "ready": service.is_ready,
        "model": "" if first is None else first.name[:64],
        "version": "" if first is None else first.version[:64],
        "release": "" if first is None else first.source.digest[:64],
        "counter": counter,
        "facts": _facts(board),
        "drift": _drift(first),
        "alerts": alerts(service, first, board),
        "runs": runs,
        "dropped": outbox.dropped,
    }


def encoded(message: Json, outbox: Outbox) -> bytes:
    """Return the bytes of a message; runs that make it too long are given up, the oldest first."""
    runs = message["runs"]
    assert isinstance(runs, list)
    while True:
        content = json.dumps(message, separators=(",", ":"), sort_keys=True).encode("ascii")
        if len(content) <= MOST_BYTES or len(runs) <= 1:
            return content
        runs.pop()
        outbox.dropped += 1
        message["dropped"] = outbox.dropped


def counter_of(run_folder: Optional[Path]) -> int:
    """Return the release counter of a root; 0 where it has none."""
    if run_folder is None:
        return 0
    try:
        found = json.loads((run_folder.parent / "state.json").read_bytes()[: 1 << 20])
    except (OSError, ValueError, RecursionError):
        return 0
    counter = found.get("counter") if isinstance(found, Mapping) else 0
    return counter if isinstance(counter, int) and counter >= 0 else 0


def _facts(board: BoardHistory) -> Json:
    return {
        "arch": platform.machine(),
        "python": platform.python_version(),
        "runtime": RUNTIME_VERSION,
        "memory_mb": round(memory_bytes() / 1e6, 1),
        "celsius": board.celsius,
        "clock_mhz": board.clock_mhz,
    }


def _drift(model: Optional[ServedModel]) -> Optional[Json]:
    if model is None or model.drift is None:
        return None
    alarm = model.drift.alarm
    return {"alarm": alarm.on, "windows": alarm.windows, "differing": alarm.differing}


def alerts(service: Service, model: Optional[ServedModel], board: BoardHistory) -> List[str]:
    """Return the names of what is wrong with a board now."""
    found = []
    if not service.is_ready:
        found.append("not-ready")
    if model is not None and model.drift is not None and model.drift.alarm.on:
        found.append("drift")
    pace = None if model is None else model.statistics.pace
    if pace is not None and pace.status(time.monotonic(), board)["verdict"] == "slower":
        found.append("slow")
    if board.throttled:
        found.append("throttled")
    upkeep = service.upkeep.to_json()
    days, free, total = (upkeep.get(key) for key in _UPKEEP)
    if days is not None and days < _CERTIFICATE_DAYS:
        found.append("certificate")
    if free is not None and total and free < _DISK_SHARE * total:
        found.append("disk")
    app = service.app.status() if service.app is not None else None
    if app is not None and app.get("state") == "failed":
        found.append("app")
    if any(service.restarts.values()):
        found.append("restarts")
    return found


_UPKEEP = ("certificate_days", "disk_free_mb", "disk_total_mb")
