"""What the studio's monitor reads of a running server."""

from __future__ import annotations

import os
import resource
import time
from typing import Any, Dict, Mapping, Union

from ..main import RUNTIME_VERSION
from .http.exchange import Exchange
from .http.message import Response
from .mirror import follow
from .model import ServedModel
from .routes import Route
from .service import Service


def memory_bytes() -> int:
    """Resident memory of this process."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def status(service: Service, exchange: Exchange, names: Mapping[str, str]) -> Response:
    """The state of the server and of the version it serves, in one small document."""
    models = service.repository.all()
    document: Dict[str, Any] = {
        "ready": service.ready and bool(models),
        "uptime_s": round(service.uptime_s, 3),
        "generation": service.generation,
        "memory_mb": round(memory_bytes() / 1e6, 1),
        "pid": os.getpid(),
        "runtime": RUNTIME_VERSION,
        "queue": service.executor.waiting,
    }
    if models:
        document.update(_model_status(models[0]))
    return Response.of(document)


def _model_status(model: ServedModel) -> Dict[str, Any]:
    counted, now = model.statistics, time.monotonic()
    counted.settle()
    mirror = follow(model)
    return {
        "digest": model.source.digest,
        "version": _as_number(model.version),
        "name": model.name,
        "precision": model.source.precision,
        "requests": counted.requests,
        "errors": counted.errors,
        "rejected": counted.failures.get("REJECTED", 0),
        "bad_requests": counted.failures.get("BAD_REQUEST", 0),
        "in_flight": counted.in_flight,
        "throughput_rps": round(counted.rate.rate(now, now - counted.began), 3),
        "latency_ms": counted.latency_ms(now),
        "baseline": model.source.baseline,
        "drift": None if model.drift is None else model.drift.status(),
        "mirror": None if mirror is None else mirror.status(),
        "inline": model.inline,
        "batch_rows": model.batch_rows,
        "threads": model.execution.threads,
        "workers": model.execution.workers,
    }


def _as_number(version: str) -> Union[int, str]:
    return int(version) if version.isdigit() else version


ROUTES = (Route("GET", "/edgewright/status", status),)
