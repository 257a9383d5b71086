"""Status of a running server for the studio's monitor."""

from __future__ import annotations

import os
import resource
import time
from typing import Dict, Union

from ...main import RUNTIME_VERSION
from ..engine.served_model import ServedModel
from ..http.body import too_large
from ..http.exchange import Exchange
from ..http.message import HttpError, Response
from ..outputs.recent_answers import MOST_LABELS
from ..protocol.codec import parse_json
from ..quality.shadow import follow
from ..quality.uncertain_samples import follow_samples
from ..service import Service
from ..statistics.board_state import BoardHistory
from .model_repository import check_json
from .router import PathNames, Route

_LABELS_BYTES = 200 * MOST_LABELS
"""As many labels as are taken at once, with the longest ids that are kept."""


def memory_bytes() -> int:
    """Resident memory of this process."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def status(service: Service, exchange: Exchange, names: PathNames) -> Response:
    """Return the state of the server and of the version it serves, in one small document."""
    models = service.repository.all()
    document: Dict[str, object] = {
        "ready": service.ready and bool(models),
        "uptime_s": round(service.uptime_s, 3),
        "generation": service.generation,
        "memory_mb": round(memory_bytes() / 1e6, 1),
        "pid": os.getpid(),
        "runtime": RUNTIME_VERSION,
        "queue": service.executor.waiting,
    }
    state = service.machine.state()
    document["board"] = state.to_json()
    document["upkeep"] = service.upkeep.to_json()
    if models:
        frames = service.app.frames() if service.app is not None else (0, 0)
        document.update(_model_status(models[0], state, *frames))
    if service.app is not None:
        document["app"] = service.app.status()
    return Response.of(document)


def _model_status(
    model: ServedModel, state: BoardHistory, frames: int, failed: int
) -> Dict[str, object]:
    """Return the state of a version; frames of its app count as requests."""
    counted, now = model.statistics, time.monotonic()
    counted.settle()
    mirror, sampler = follow(model), follow_samples(model)
    return {
        "digest": model.source.digest,
        "version": _as_number(model.version),
        "name": model.name,
        "precision": model.source.precision,
        "requests": counted.requests + frames,
        "errors": counted.errors + failed,
        "rejected": counted.failures.get("REJECTED", 0),
        "bad_requests": counted.failures.get("BAD_REQUEST", 0),
        "in_flight": counted.in_flight,
        "throughput_rps": round(counted.rate.rate(now, now - counted.began), 3),
        "latency_ms": counted.latency_ms(now),
        "pace": None if counted.pace is None else counted.pace.status(now, state),
        "baseline": model.source.baseline,
        "drift": None if model.drift is None else model.drift.status(),
        "labels": model.answers.status(),
        "mirror": None if mirror is None else mirror.status(),
        "samples": None if sampler is None else sampler.status(),
        "decisions": None if model.decisions is None else model.decisions.status(),
        "language": None if model.generator is None else model.generator.status(),
        "inline": model.inline,
        "batch_rows": model.batch_rows,
        "threads": model.execution.threads,
        "placement": model.session.placement.status(),
        "workers": model.execution.workers,
    }


def _as_number(version: str) -> Union[int, str]:
    return int(version) if version.isdigit() else version


def labels(service: Service, exchange: Exchange, names: PathNames) -> Response:
    """Take true answers, and tell how many belonged to a request.

    The body: ``{"labels": {"<id of a request>": "<class>"}}``; of many models one is ``"model"``.
    """
    check_json(exchange)
    body = exchange.request.body
    if len(body) > _LABELS_BYTES:
        raise too_large(_LABELS_BYTES)
    document = parse_json(body)
    given = document.get("labels")
    if not isinstance(given, dict) or len(given) > MOST_LABELS:
        sentence = "Labels are an object of at most {} classes by the ids of requests."
        raise HttpError(400, sentence.format(MOST_LABELS))
    wanted = document.get("model")
    models = service.repository.all()
    if not models:
        raise HttpError(404, "Nothing is served here.")
    model = service.repository.find(str(wanted)) if wanted else models[0]
    return Response.of(
        {
            "now": model.answers.judge(given, document.get("chosen") is True),
            **model.answers.status(),
        }
    )


ROUTES = (
    Route("GET", "/edgewright/status", status),
    Route("POST", "/edgewright/labels", labels, body=_LABELS_BYTES),
)
