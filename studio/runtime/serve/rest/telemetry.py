"""Endpoint of the counts that are stored while no studio is connected, and their writer."""

from __future__ import annotations

import asyncio
import time
from typing import Dict, Optional
from urllib.parse import parse_qs

from ..engine.served_model import ServedModel
from ..http.exchange import Exchange
from ..http.message import HttpError, Response
from ..release_root import run_folder_of
from ..service import Service
from ..statistics.offline_log import OfflineLog
from .router import PathNames, Route

EVERY_S = 60.0


def counts_of(model: ServedModel) -> Dict[str, object]:
    """Return a minute's line of a model: counters since it was loaded, and its drift."""
    counted, now = model.statistics, time.monotonic()
    counted.settle()
    latency = counted.latency_ms(now)
    found: Dict[str, object] = {
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
    """Return the ledger below the root of a release; None for a bare file."""
    run = run_folder_of(model.source.path)
    return OfflineLog(run) if run is not None else None


async def record_minutes(service: Service, every_s: float = EVERY_S) -> None:
    """Write a line for each model every minute, until the server ends."""
    ledger: Optional[OfflineLog] = None
    while True:
        await asyncio.sleep(every_s)
        for model in service.repository.all():
            if ledger is None:
                ledger = service.ledger = ledger_of(model)
            if ledger is not None:
                ledger.append(counts_of(model))


def telemetry(service: Service, exchange: Exchange, names: PathNames) -> Response:
    """Return the lines behind a number: ``?after=N``."""
    text = parse_qs(exchange.request.query).get("after", ["0"])[0]
    if not (text.isascii() and text.isdigit()) or len(text) > 15:
        raise HttpError(400, "The number after which lines are wanted must be a whole one.")
    models = service.repository.all()
    ledger = service.ledger or (ledger_of(models[0]) if models else None)
    return Response.of({"lines": [] if ledger is None else ledger.read(int(text))})


ROUTES = (Route("GET", "/edgewright/telemetry", telemetry),)
