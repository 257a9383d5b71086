"""Everything that a server counts, under the names that clients of Triton know."""

from __future__ import annotations

import resource
import time
from typing import Callable, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from ...drift.window import Alarm
from ...shared.records import read
from ..engine.served_model import ServedModel
from ..service import Service
from ..statistics.board_state import BoardHistory
from ..statistics.counters import HISTOGRAM_BOUNDS_S, REASONS, ModelStatistics
from .metric_family import COUNTER, GAUGE, HISTOGRAM, Family, HistogramSample, Labels
from .status import memory_bytes

_Labelled = List[Tuple[Labels, ModelStatistics]]
"""The labels of each served version, and what was counted for it."""

_Row = Tuple[str, str, str, Callable[[ModelStatistics], float]]
"""Name, kind, text, and the value of a version."""


def _us(field: str) -> Callable[[ModelStatistics], float]:
    return lambda counted: int(getattr(counted.totals_s, field) * 1e6)


# Triton's names, so that its dashboards and alerts work unchanged.
_DURATION = "nv_inference_{}_duration_us"

_ROWS: Tuple[_Row, ...] = (
    ("nv_inference_request_success", COUNTER, "Answered requests", lambda s: s.success),
    ("nv_inference_count", COUNTER, "Samples inferred", lambda s: s.inferences),
    ("nv_inference_exec_count", COUNTER, "Runs of the model", lambda s: s.executions),
    (_DURATION.format("request"), COUNTER, "Time in requests", _us("total")),
    (_DURATION.format("queue"), COUNTER, "Time in the queue", _us("queue")),
    (_DURATION.format("compute_input"), COUNTER, "Reading inputs", _us("compute_input")),
    (_DURATION.format("compute_infer"), COUNTER, "In the model", _us("compute_infer")),
    (_DURATION.format("compute_output"), COUNTER, "Writing outputs", _us("compute_output")),
    ("nv_inference_pending_request_count", GAUGE, "Unanswered", lambda s: s.in_flight),
)

_ALARM: Tuple[Tuple[str, str, str, Callable[[Alarm], int]], ...] = (
    ("alarm", GAUGE, "1 while inputs or answers are unlike", lambda a: int(a.on)),
    ("windows_total", COUNTER, "Windows of requests judged", lambda a: a.windows),
    ("differing_total", COUNTER, "Windows unlike the reference data", lambda a: a.differing),
)


def families(service: Service, models: Iterable[ServedModel]) -> Iterator[Family]:
    """Yield everything that is counted of a server and its models.

    What is counted of language models alone is in ``generation_metrics``.
    """
    models = list(models)
    for model in models:
        model.statistics.settle()
    labelled = [(labels_of(model), model.statistics) for model in models]
    for name, kind, text, value in _ROWS:
        samples = [(labels, value(counted)) for labels, counted in labelled]
        yield Family(name, kind, text, samples)
    yield _failures(labelled)
    yield _durations(labelled)
    yield from _pace(models, service.machine.state())
    yield from _drift(models)
    yield from _judged(models)
    yield _info(models)
    yield from _placement(models)
    yield from _process(service)
    yield from _upkeep(service)
    yield from _app(service)


def labels_of(model: ServedModel) -> Labels:
    """Return the labels of a served version."""
    return (("model", model.name), ("version", model.version))


def _failures(labelled: _Labelled) -> Family:
    samples = [
        ((*labels, ("reason", reason)), counted.failures.get(reason, 0))
        for labels, counted in labelled
        for reason in REASONS
    ]
    text = "Requests without an inference"
    return Family("nv_inference_request_failure", COUNTER, text, samples)


def _durations(labelled: _Labelled) -> Family:
    rows = [
        HistogramSample(labels, counted.histogram.tolist(), counted.totals_s.total)
        for labels, counted in labelled
    ]
    text = "Time from the whole request to its answer"
    name = "edgewright_request_seconds"
    bounds = HISTOGRAM_BOUNDS_S
    return Family(name, HISTOGRAM, text, histograms=rows, bounds=bounds, unit="s")


def _pace(models: Iterable[ServedModel], state: BoardHistory) -> Iterator[Family]:
    """Yield the speed of models relative to their baselines, and the state of the board."""
    now = time.monotonic()
    ratios: List[Tuple[Labels, float]] = []
    for model in models:
        pace = model.statistics.pace
        ratio = None if pace is None else pace.ratio(now)
        if pace is not None and pace.baseline is not None and ratio is not None:
            ratios.append(((*labels_of(model), ("of", pace.baseline.of)), ratio))
    if ratios:
        text = "Median time in the model through that of its baseline"
        yield Family("edgewright_latency_ratio", GAUGE, text, ratios)
    yield from _known_gauges(
        (
            "edgewright_board_throttled",
            "1 while it is throttled",
            int(bool(state.throttled)),
        ),
        ("edgewright_board_clock_hertz", "Clock of the fastest processor", _hertz(state)),
        ("edgewright_board_celsius", "The hottest zone", state.celsius),
        ("edgewright_board_busy_others", "Processors that others keep busy", state.others),
    )


def _hertz(state: BoardHistory) -> Optional[float]:
    return None if state.clock_mhz is None else state.clock_mhz * 1e6


def _known_gauges(*rows: Tuple[str, str, Optional[float]]) -> Iterator[Family]:
    for name, text, value in rows:
        if value is not None:
            yield Family(name, GAUGE, text, [((), value)])


def _drift(models: Iterable[ServedModel]) -> Iterator[Family]:
    """Yield the drift of the versions whose bundles have reference data."""
    watched = [(labels_of(model), model.drift) for model in models]
    alarms = [(labels, watch.alarm) for labels, watch in watched if watch is not None]
    if not alarms:
        return
    for name, kind, text, value in _ALARM:
        samples = [(labels, value(alarm)) for labels, alarm in alarms]
        yield Family("edgewright_drift_" + name, kind, text, samples)


def _judged(models: Iterable[ServedModel]) -> Iterator[Family]:
    """Yield the accuracy of the versions whose answers were labelled."""
    judged = [(labels_of(model), model.answers) for model in models if model.answers.matched]
    if judged:
        total = [(labels, answers.matched) for labels, answers in judged]
        yield Family("edgewright_labels_total", COUNTER, "Answers with a label", total)
        right = [(labels, answers.right) for labels, answers in judged]
        yield Family("edgewright_labels_right_total", COUNTER, "Of these, right", right)


def _info(models: Iterable[ServedModel]) -> Family:
    samples: List[Tuple[Labels, float]] = []
    for model in models:
        source = model.source
        more = (("digest", source.digest), ("precision", source.precision))
        samples.append(((*labels_of(model), *more), 1))
    return Family("edgewright_model_info", GAUGE, "The versions that are served", samples)


def _placement(models: Iterable[ServedModel]) -> Iterator[Family]:
    """Yield where nodes are computed, for models of which execution providers are wanted."""
    found = [(labels_of(one), one.session.placement) for one in models]
    placed = [(labels, placement) for labels, placement in found if placement.wanted]
    if not placed:
        return
    nodes: List[Tuple[Labels, float]] = [
        ((*labels, ("provider", name)), count)
        for labels, placement in placed
        for name, count in placement.nodes.items()
    ]
    yield Family("edgewright_model_nodes", GAUGE, "Nodes by execution provider", nodes)
    text = "1 while the wanted execution provider does not compute"
    missing = [(labels, int(bool(placement.fallback))) for labels, placement in placed]
    yield Family("edgewright_provider_fallback", GAUGE, text, missing)


def _process(service: Service) -> Iterator[Family]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = round(usage.ru_utime + usage.ru_stime, 3)
    rows = (
        ("edgewright_generation", GAUGE, "Number of the loaded release", service.generation),
        ("edgewright_queue_length", GAUGE, "Work handed to threads", service.executor.waiting),
        ("process_resident_memory_bytes", GAUGE, "Resident memory", memory_bytes()),
        ("process_cpu_seconds_total", COUNTER, "Processor time", cpu_s),
        ("process_start_time_seconds", GAUGE, "Start since the epoch", round(service.started, 3)),
    )
    for name, kind, text, value in rows:
        yield Family(name, kind, text, [((), value)])
    if service.restarts:
        counts = [((("reason", key),), value) for key, value in service.restarts.items()]
        text = "Workers that the supervisor replaced"
        yield Family("edgewright_worker_restarts_total", COUNTER, text, counts)


def _upkeep(service: Service) -> Iterator[Family]:
    """Yield the expiry of the certificate and disk space, where known."""
    end, _, free, total = service.upkeep.state()
    yield from _known_gauges(
        ("edgewright_disk_free_bytes", "Free on the server's disk", _bytes(free)),
        ("edgewright_disk_bytes", "Size of the server's disk", _bytes(total)),
        ("edgewright_certificate_end_seconds", "End of the certificate", end),
    )


def _bytes(megabytes: Optional[float]) -> Optional[int]:
    return None if megabytes is None else int(megabytes * 1e6)


class _SourceState(NamedTuple):
    """State of one source of an app."""

    state: str = ""
    frames: int = 0
    dropped: int = 0
    lost: int = 0


class _SinkState(NamedTuple):
    """State of one sink of an app."""

    waiting: int = 0


class _AppState(NamedTuple):
    """State of an app, as its engine gives it."""

    name: str = ""
    failed: int = 0
    sources: Mapping[str, Mapping[str, object]] = {}
    events: Mapping[str, int] = {}
    sinks: Mapping[str, Mapping[str, object]] = {}


_OF_SOURCES: Tuple[Tuple[str, str, str, Callable[[_SourceState], int]], ...] = (
    ("frames_total", COUNTER, "Frames of a source", lambda one: one.frames),
    ("frames_dropped_total", COUNTER, "Frames that came too fast", lambda one: one.dropped),
    ("source_lost_total", COUNTER, "How often a source was lost", lambda one: one.lost),
    ("source_up", GAUGE, "1 while a source gives frames", lambda one: one.state == "running"),
)


def _app(service: Service) -> Iterator[Family]:
    """Yield the counts of the app of the release, where it runs."""
    found = service.app.status() if service.app is not None else None
    state = read(_AppState, found or {})
    if not state.name:
        return
    sources = [
        ((("source", name),), read(_SourceState, one)) for name, one in state.sources.items()
    ]
    for name, kind, text, value in _OF_SOURCES:
        samples = [(labels, int(value(one))) for labels, one in sources]
        yield Family("edgewright_app_" + name, kind, text, samples)
    text = "Frames on which a step failed"
    yield Family("edgewright_app_frames_failed_total", COUNTER, text, [((), state.failed)])
    events = [(_labels_of_count(key), count) for key, count in state.events.items()]
    yield Family("edgewright_app_events_total", COUNTER, "Events by step and kind", events)
    waiting = [
        ((("sink", name),), read(_SinkState, one).waiting) for name, one in state.sinks.items()
    ]
    text = "Events that a sink has not taken"
    yield Family("edgewright_app_events_waiting", GAUGE, text, waiting)


def _labels_of_count(key: str) -> Labels:
    """Return the labels of a count, whose key is the step and the kind."""
    step, _, kind = key.partition(" ")
    return (("step", step), ("kind", kind))
