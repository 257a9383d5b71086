"""Metrics in Prometheus' text format, under the names that clients of Triton know."""

from __future__ import annotations

import resource
import time
from typing import Callable, Iterable, List, Mapping, NamedTuple, Optional, Tuple

from ...drift.window import Alarm
from ...shared.records import read
from ..engine.served_model import ServedModel
from ..http.exchange import Exchange
from ..http.message import TEXT, Response
from ..service import Service
from ..statistics.board_state import BoardHistory
from ..statistics.counters import HISTOGRAM_BOUNDS_S, REASONS, ModelStatistics
from .router import PathNames, Route
from .status import memory_bytes

Labelled = List[Tuple[str, ModelStatistics]]
"""The labels of each served version, and what was counted for it."""


class Metric(NamedTuple):
    """A metric with one value for each served version."""

    name: str
    kind: str
    text: str
    value: Callable[[ModelStatistics], float]


def _us(field: str) -> Callable[[ModelStatistics], float]:
    return lambda counted: int(getattr(counted.totals_s, field) * 1e6)


# Triton's names, so that its dashboards and alerts work unchanged.
_DURATION = "nv_inference_{}_duration_us"

METRICS = (
    Metric("nv_inference_request_success", "counter", "Answered requests", lambda s: s.success),
    Metric("nv_inference_count", "counter", "Samples inferred", lambda s: s.inferences),
    Metric("nv_inference_exec_count", "counter", "Runs of the model", lambda s: s.executions),
    Metric(_DURATION.format("request"), "counter", "Time in requests", _us("total")),
    Metric(_DURATION.format("queue"), "counter", "Time in the queue", _us("queue")),
    Metric(_DURATION.format("compute_input"), "counter", "Reading inputs", _us("compute_input")),
    Metric(_DURATION.format("compute_infer"), "counter", "In the model", _us("compute_infer")),
    Metric(_DURATION.format("compute_output"), "counter", "Writing outputs", _us("compute_output")),
    Metric("nv_inference_pending_request_count", "gauge", "Unanswered", lambda s: s.in_flight),
)


_ALARM: Tuple[Tuple[str, str, str, Callable[[Alarm], int]], ...] = (
    ("alarm", "gauge", "1 while inputs or answers are unlike", lambda a: int(a.on)),
    ("windows_total", "counter", "Windows of requests judged", lambda a: a.windows),
    ("differing_total", "counter", "Windows unlike the reference data", lambda a: a.differing),
)


def metrics(service: Service, exchange: Exchange, names: PathNames) -> Response:
    """Everything that is counted."""
    lines: List[str] = []
    models = service.repository.all()
    for model in models:
        model.statistics.settle()
    labelled = [(_labels(model), model.statistics) for model in models]
    for row in METRICS:
        samples = [(labels, row.value(counted)) for labels, counted in labelled]
        _family(lines, row.name, row.kind, row.text, samples)
    _failures(lines, labelled)
    _histogram(lines, labelled)
    _pace(lines, models, service.machine.state())
    _drift(lines, models)
    _judged(lines, models)
    if any(model.generator is not None for model in models):
        from .generation_metrics import write_generation

        write_generation(lines, models, _genai_labels, _family)
    _info(lines, models)
    _placement(lines, models)
    _process(lines, service)
    _upkeep(lines, service)
    _app(lines, service)
    return Response(200, ("\n".join(lines) + "\n").encode("utf-8"), TEXT)


def _labels(model: ServedModel) -> str:
    return 'model="{}",version="{}"'.format(_escape(model.name), _escape(model.version))


def _genai_labels(model: ServedModel) -> str:
    name = _escape(model.name)
    words = 'gen_ai_provider_name="edgewright",gen_ai_request_model="{}"'.format(name)
    return "{},{}".format(_labels(model), words)


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _family(
    lines: List[str], name: str, kind: str, text: str, samples: Iterable[Tuple[str, float]]
) -> None:
    lines.append("# HELP {} {}".format(name, text))
    lines.append("# TYPE {} {}".format(name, kind))
    for labels, value in samples:
        lines.append("{}{} {}".format(name, "{" + labels + "}" if labels else "", value))


def _failures(lines: List[str], labelled: Labelled) -> None:
    samples = [
        ('{},reason="{}"'.format(labels, reason), counted.failures.get(reason, 0))
        for labels, counted in labelled
        for reason in REASONS
    ]
    text = "Requests without an inference"
    _family(lines, "nv_inference_request_failure", "counter", text, samples)


def _histogram(lines: List[str], labelled: Labelled) -> None:
    name = "edgewright_request_seconds"
    _family(lines, name, "histogram", "Time from the whole request to its answer", ())
    bounds = [repr(bound) for bound in HISTOGRAM_BOUNDS_S] + ["+Inf"]
    for labels, counted in labelled:
        total = 0
        for bound, count in zip(bounds, counted.histogram.tolist()):
            total += count
            lines.append('{}_bucket{{{},le="{}"}} {}'.format(name, labels, bound, total))
        lines.append("{}_sum{{{}}} {:.6f}".format(name, labels, counted.totals_s.total))
        lines.append("{}_count{{{}}} {}".format(name, labels, total))


def _pace(lines: List[str], models: Iterable[ServedModel], state: BoardHistory) -> None:
    """Write the speed of models relative to their baselines, and the state of the board."""
    now, ratios = time.monotonic(), []
    for model in models:
        pace = model.statistics.pace
        ratio = None if pace is None else pace.ratio(now)
        if pace is not None and pace.baseline is not None and ratio is not None:
            ratios.append(('{},of="{}"'.format(_labels(model), pace.baseline.of), ratio))
    if ratios:
        text = "Median time in the model through that of its baseline"
        _family(lines, "edgewright_latency_ratio", "gauge", text, ratios)
    rows = (
        (
            "edgewright_board_throttled",
            "1 while it is throttled",
            int(bool(state.throttled)),
        ),
        ("edgewright_board_clock_hertz", "Clock of the fastest processor", _hertz(state)),
        ("edgewright_board_celsius", "The hottest zone", state.celsius),
        ("edgewright_board_busy_others", "Processors that others keep busy", state.others),
    )
    for name, text, value in rows:
        if value is not None:
            _family(lines, name, "gauge", text, [("", value)])


def _hertz(state: BoardHistory) -> Optional[float]:
    return None if state.clock_mhz is None else state.clock_mhz * 1e6


def _drift(lines: List[str], models: Iterable[ServedModel]) -> None:
    """Write the drift of the versions whose bundles have reference data."""
    watched = [(_labels(model), model.drift) for model in models]
    alarms = [(labels, watch.alarm) for labels, watch in watched if watch is not None]
    if not alarms:
        return
    for name, kind, text, value in _ALARM:
        samples = [(labels, value(alarm)) for labels, alarm in alarms]
        _family(lines, "edgewright_drift_" + name, kind, text, samples)


def _judged(lines: List[str], models: Iterable[ServedModel]) -> None:
    """Write the accuracy of the versions whose answers were labelled."""
    judged = [(_labels(model), model.answers) for model in models if model.answers.matched]
    if judged:
        total = [(labels, answers.matched) for labels, answers in judged]
        _family(lines, "edgewright_labels_total", "counter", "Answers with a label", total)
        right = [(labels, answers.right) for labels, answers in judged]
        _family(lines, "edgewright_labels_right_total", "counter", "Of these, right", right)


def _info(lines: List[str], models: Iterable[ServedModel]) -> None:
    samples = [
        (
            '{},digest="{}",precision="{}"'.format(
                _labels(model), model.source.digest, _escape(model.source.precision)
            ),
            1,
        )
        for model in models
    ]
    _family(lines, "edgewright_model_info", "gauge", "The versions that are served", samples)


def _placement(lines: List[str], models: Iterable[ServedModel]) -> None:
    """Write where nodes are computed, for models of which execution providers are wanted."""
    placed = [(_labels(one), one.session.placement) for one in models]
    placed = [(labels, placement) for labels, placement in placed if placement.wanted]
    if not placed:
        return
    nodes = [
        ('{},provider="{}"'.format(labels, _escape(name)), count)
        for labels, placement in placed
        for name, count in placement.nodes.items()
    ]
    _family(lines, "edgewright_model_nodes", "gauge", "Nodes by execution provider", nodes)
    text = "1 while the wanted execution provider does not compute"
    missing = [(labels, int(bool(placement.fallback))) for labels, placement in placed]
    _family(lines, "edgewright_provider_fallback", "gauge", text, missing)


def _process(lines: List[str], service: Service) -> None:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = round(usage.ru_utime + usage.ru_stime, 3)
    rows = (
        ("edgewright_generation", "gauge", "Number of the loaded release", service.generation),
        ("edgewright_queue_length", "gauge", "Work handed to threads", service.executor.waiting),
        ("process_resident_memory_bytes", "gauge", "Resident memory", memory_bytes()),
        ("process_cpu_seconds_total", "counter", "Processor time", cpu_s),
        ("process_start_time_seconds", "gauge", "Start since the epoch", round(service.started, 3)),
    )
    for name, kind, text, value in rows:
        _family(lines, name, kind, text, [("", value)])
    if service.restarts:
        counts = [('reason="{}"'.format(key), value) for key, value in service.restarts.items()]
        text = "Workers that the supervisor replaced"
        _family(lines, "edgewright_worker_restarts_total", "counter", text, counts)


def _upkeep(lines: List[str], service: Service) -> None:
    """Write the expiry of certificate and disk space, where known."""
    end, _, free, total = service.upkeep.state()
    rows = (
        ("edgewright_disk_free_bytes", "Free on the server's disk", _bytes(free)),
        ("edgewright_disk_bytes", "Size of the server's disk", _bytes(total)),
        ("edgewright_certificate_end_seconds", "End of the certificate", end),
    )
    for name, text, value in rows:
        if value is not None:
            _family(lines, name, "gauge", text, [("", value)])


class _SourceState(NamedTuple):
    """State of one source of an app."""

    state: str = ""
    frames: int = 0
    dropped: int = 0
    lost: int = 0


class _SinkState(NamedTuple):
    """State of one sink of an app."""

    waiting: int = 0


_OF_SOURCES: Tuple[Tuple[str, str, str, Callable[[_SourceState], int]], ...] = (
    ("frames_total", "counter", "Frames of a source", lambda one: one.frames),
    ("frames_dropped_total", "counter", "Frames that came too fast", lambda one: one.dropped),
    ("source_lost_total", "counter", "How often a source was lost", lambda one: one.lost),
    ("source_up", "gauge", "1 while a source gives frames", lambda one: one.state == "running"),
)


def _app(lines: List[str], service: Service) -> None:
    """Write the counts of the app of the release, where it runs."""
    found = service.app.status() if service.app is not None else None
    state = read(_AppState, found or {})
    if not state.name:
        return
    sources = [
        ('source="{}"'.format(_escape(name)), read(_SourceState, one))
        for name, one in state.sources.items()
    ]
    for name, kind, text, value in _OF_SOURCES:
        samples = [(labels, int(value(one))) for labels, one in sources]
        _family(lines, "edgewright_app_" + name, kind, text, samples)
    text = "Frames on which a step failed"
    _family(lines, "edgewright_app_frames_failed_total", "counter", text, [("", state.failed)])
    events = [(_labels_of(key), count) for key, count in state.events.items()]
    _family(lines, "edgewright_app_events_total", "counter", "Events by step and kind", events)
    waiting = [
        ('sink="{}"'.format(_escape(name)), read(_SinkState, one).waiting)
        for name, one in state.sinks.items()
    ]
    text = "Events that a sink has not taken"
    _family(lines, "edgewright_app_events_waiting", "gauge", text, waiting)


class _AppState(NamedTuple):
    """State of an app, as its engine gives it."""

    name: str = ""
    failed: int = 0
    sources: Mapping[str, Mapping[str, object]] = {}
    events: Mapping[str, int] = {}
    sinks: Mapping[str, Mapping[str, object]] = {}


def _labels_of(key: str) -> str:
    """Return the labels of a count, whose key is the step and the kind."""
    step, _, kind = key.partition(" ")
    return 'step="{}",kind="{}"'.format(_escape(step), _escape(kind))


def _bytes(megabytes: Optional[float]) -> Optional[int]:
    return None if megabytes is None else int(megabytes * 1e6)


ROUTES = (Route("GET", "/metrics", metrics),)
