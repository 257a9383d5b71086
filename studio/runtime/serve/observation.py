"""What operators read: Prometheus metrics and the studio's status."""

from __future__ import annotations

import os
import resource
import time
from typing import Any, Callable, Dict, Iterable, List, Mapping, Tuple

from ..main import RUNTIME_VERSION
from .http.connection import Exchange
from .http.message import TEXT, Response
from .model import ServedModel
from .routes import Route
from .service import Service
from .statistics import HISTOGRAM_BOUNDS_S, ModelStatistics

Names = Mapping[str, str]


def memory_bytes() -> int:
    """Resident memory of this process."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def status(service: Service, exchange: Exchange, names: Names) -> Response:
    """The state of the server in one small document, for ``studio monitor``."""
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
        "inline": model.inline,
        "threads": model.execution.threads,
        "workers": model.execution.workers,
    }


def _as_number(version: str) -> Any:
    return int(version) if version.isdigit() else version


class _Counter:
    """A row of the table below: a metric with one value for each model."""

    def __init__(
        self, name: str, kind: str, text: str, value: Callable[[ModelStatistics], float]
    ) -> None:
        self.name, self.kind, self.text, self.value = name, kind, text, value


def _microseconds(field: str) -> Callable[[ModelStatistics], float]:
    return lambda counted: int(getattr(counted.totals_s, field) * 1e6)


_PER_MODEL = (
    _Counter(
        "nv_inference_request_success", "counter", "Answered requests", lambda s: s.success
    ),
    _Counter("nv_inference_count", "counter", "Samples inferred", lambda s: s.inferences),
    _Counter("nv_inference_exec_count", "counter", "Runs of the model", lambda s: s.executions),
    _Counter(
        "nv_inference_request_duration_us", "counter", "Time in requests", _microseconds("total")
    ),
    _Counter("nv_inference_queue_duration_us", "counter", "Time in the queue", _microseconds("queue")),
    _Counter(
        "nv_inference_compute_input_duration_us",
        "counter",
        "Time to read inputs",
        _microseconds("compute_input"),
    ),
    _Counter(
        "nv_inference_compute_infer_duration_us",
        "counter",
        "Time in the model",
        _microseconds("compute_infer"),
    ),
    _Counter(
        "nv_inference_compute_output_duration_us",
        "counter",
        "Time to write outputs",
        _microseconds("compute_output"),
    ),
    _Counter(
        "nv_inference_pending_request_count",
        "gauge",
        "Requests that wait for an answer",
        lambda s: s.in_flight,
    ),
)
"""The metrics that clients of Triton know, and the same meaning here."""

_REASONS = ("BAD_REQUEST", "REJECTED", "CANCELED", "BACKEND")


def metrics(service: Service, exchange: Exchange, names: Names) -> Response:
    """Everything that is counted, in Prometheus' text format."""
    lines: List[str] = []
    models = service.repository.all()
    labelled = [(_labels(model), model.statistics) for model in models]
    for row in _PER_MODEL:
        _family(lines, row.name, row.kind, row.text, [(l, row.value(s)) for l, s in labelled])
    _family(
        lines,
        "nv_inference_request_failure",
        "counter",
        "Requests without an inference, by reason",
        [
            ('{},reason="{}"'.format(labels, reason), counted.failures.get(reason, 0))
            for labels, counted in labelled
            for reason in _REASONS
        ],
    )
    _histogram(lines, labelled)
    _family(
        lines,
        "edgewright_model_info",
        "gauge",
        "The models that are served",
        [
            (
                '{},digest="{}",precision="{}"'.format(
                    _labels(model), model.source.digest, _escape(model.source.precision)
                ),
                1,
            )
            for model in models
        ],
    )
    _process(lines, service)
    return Response(200, ("\n".join(lines) + "\n").encode("utf-8"), TEXT)


def _labels(model: ServedModel) -> str:
    return 'model="{}",version="{}"'.format(_escape(model.name), _escape(model.version))


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _family(
    lines: List[str], name: str, kind: str, text: str, samples: Iterable[Tuple[str, float]]
) -> None:
    lines.append("# HELP {} {}".format(name, text))
    lines.append("# TYPE {} {}".format(name, kind))
    for labels, value in samples:
        lines.append("{}{} {}".format(name, "{" + labels + "}" if labels else "", value))


def _histogram(lines: List[str], labelled: List[Tuple[str, ModelStatistics]]) -> None:
    name = "edgewright_request_seconds"
    lines.append("# HELP {} Time from the whole request to its answer".format(name))
    lines.append("# TYPE {} histogram".format(name))
    for labels, counted in labelled:
        total = 0
        bounds = [repr(bound) for bound in HISTOGRAM_BOUNDS_S] + ["+Inf"]
        for bound, count in zip(bounds, counted.histogram):
            total += count
            lines.append('{}_bucket{{{},le="{}"}} {}'.format(name, labels, bound, total))
        lines.append("{}_sum{{{}}} {:.6f}".format(name, labels, counted.totals_s.total))
        lines.append("{}_count{{{}}} {}".format(name, labels, total))


def _process(lines: List[str], service: Service) -> None:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    rows = (
        ("edgewright_generation", "gauge", "Number of the loaded release", service.generation),
        ("edgewright_queue_length", "gauge", "Work handed to threads", service.executor.waiting),
        ("process_resident_memory_bytes", "gauge", "Resident memory", memory_bytes()),
        (
            "process_cpu_seconds_total",
            "counter",
            "Processor time used",
            round(usage.ru_utime + usage.ru_stime, 3),
        ),
        (
            "process_start_time_seconds",
            "gauge",
            "Start of the server since the epoch",
            round(service.started, 3),
        ),
    )
    for name, kind, text, value in rows:
        _family(lines, name, kind, text, [("", value)])


ROUTES = (
    Route("GET", "/metrics", metrics),
    Route("GET", "/edgewright/status", status),
)
