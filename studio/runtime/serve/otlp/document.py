"""Metrics as OpenTelemetry's protocol has them in JSON (OTLP 1.x, cumulative)."""

from __future__ import annotations

from itertools import groupby
from typing import Callable, Dict, Iterable, List, Mapping, Tuple

from ...generate.generator import TextGenerator
from ...generate.statistics import TOKENS, BucketCounts
from ...main import RUNTIME_VERSION
from ..engine.served_model import ServedModel

Json = Dict[str, object]
_CUMULATIVE = 2
_NANOSECONDS = 1_000_000_000
_SCOPE = "edgewright"
_OPERATION, _PROVIDER = "gen_ai.operation.name", "gen_ai.provider.name"
_MODEL, _KIND = "gen_ai.request.model", "gen_ai.token.type"

_COUNTERS: Tuple[Tuple[str, str, str, Callable[[TextGenerator], int]], ...] = (
    ("prompt_tokens", TOKENS, "Tokens of prompts", lambda g: g.statistics.prompt),
    ("cached_tokens", TOKENS, "Tokens of prompts from caches", lambda g: g.statistics.cached),
    ("answer_tokens", TOKENS, "Tokens of answers", lambda g: g.statistics.answer),
)
_GAUGES: Tuple[Tuple[str, str, str, Callable[[TextGenerator], int]], ...] = (
    ("requests_running", "{request}", "Answers under way", lambda g: g.loop.active),
    ("requests_waiting", "{request}", "Requests that wait", lambda g: g.loop.waiting),
    ("cache_tokens", TOKENS, "Tokens in the caches", lambda g: g.loop.held),
)


def metrics_document(
    models: Iterable[ServedModel], resource: Mapping[str, str], started: float, now: float
) -> Json:
    """Return the body of an export; ``resourceMetrics`` is empty without language models.

    Args:
        resource: Attributes of the server.
        started: Wall clock when counting began, seconds since the epoch.
        now: Wall clock.
    """
    found = [(_attributes(one), one.generator) for one in models if one.generator is not None]
    if not found:
        return {"resourceMetrics": []}
    moments = {"startTimeUnixNano": _moment(started), "timeUnixNano": _moment(now)}
    scope = {"name": _SCOPE, "version": RUNTIME_VERSION}
    metrics = [*_histograms(found, moments), *_numbers(found, moments)]
    return {
        "resourceMetrics": [
            {
                "resource": {"attributes": _pairs(resource)},
                "scopeMetrics": [{"scope": scope, "metrics": metrics}],
            }
        ]
    }


_Found = List[Tuple[Dict[str, str], TextGenerator]]


def _histograms(found: _Found, moments: Mapping[str, str]) -> List[Json]:
    rows = [
        (instrument, kind, counts, attributes)
        for attributes, generator in found
        for instrument, kind, counts in generator.statistics.histograms()
    ]
    rows.sort(key=lambda row: row[0].name)
    metrics: List[Json] = []
    for instrument, group in groupby(rows, key=lambda row: row[0]):
        points: List[Json] = []
        for _, kind, counts, attributes in group:
            own = {**attributes, _KIND: kind} if kind else attributes
            points.append({**_point(counts), **moments, "attributes": _pairs(own)})
        content: Json = {"dataPoints": points, "aggregationTemporality": _CUMULATIVE}
        metrics.append(
            {
                "name": instrument.name,
                "unit": instrument.unit,
                "description": instrument.text,
                "histogram": content,
            }
        )
        for point in points:
            point["explicitBounds"] = list(instrument.bounds)
    return metrics


def _point(counts: BucketCounts) -> Json:
    buckets = list(counts.counts)
    return {
        "count": str(sum(buckets)),
        "sum": counts.total,
        "bucketCounts": [str(one) for one in buckets],
    }


def _numbers(found: _Found, moments: Mapping[str, str]) -> List[Json]:
    metrics: List[Json] = []
    for table, key in ((_COUNTERS, "sum"), (_GAUGES, "gauge")):
        for name, unit, text, value in table:
            points = [
                {"asInt": str(value(generator)), **moments, "attributes": _pairs(attributes)}
                for attributes, generator in found
            ]
            content: Json = {"dataPoints": points}
            if key == "sum":
                content.update(aggregationTemporality=_CUMULATIVE, isMonotonic=True)
            full = "edgewright.generation." + name
            metrics.append({"name": full, "unit": unit, "description": text, key: content})
    return metrics


def _attributes(model: ServedModel) -> Dict[str, str]:
    return {
        _OPERATION: "text_completion",
        _PROVIDER: _SCOPE,
        _MODEL: model.name,
        "edgewright.model.version": model.version,
    }


def _pairs(values: Mapping[str, str]) -> List[Json]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in values.items()]


def _moment(seconds: float) -> str:
    return str(int(seconds * _NANOSECONDS))
