"""Values as OpenTelemetry's protocol has them in JSON (OTLP 1.x)."""

from __future__ import annotations

from typing import Dict, Iterable, List, Mapping, Sequence, Tuple, Union

from ...main import RUNTIME_VERSION

Json = Dict[str, object]
SCOPE = "edgewright"
CUMULATIVE = 2
_OUTER = {
    "metrics": ("resourceMetrics", "scopeMetrics"),
    "spans": ("resourceSpans", "scopeSpans"),
}
_NANOSECONDS = 1_000_000_000
_LONGEST_TEXT = 1024


def moment(seconds: float) -> str:
    """Return a wall clock, seconds since the epoch, in nanoseconds."""
    return str(int(seconds * _NANOSECONDS))


def pairs(values: Iterable[Tuple[str, object]]) -> List[Json]:
    """Return attributes: texts, whole numbers and others by their types; texts are cut."""
    return [{"key": key, "value": _value(value)} for key, value in values]


def _value(value: object) -> Json:
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"stringValue": str(value)[:_LONGEST_TEXT]}


def number(value: Union[int, float]) -> Json:
    """Return the value of a point: whole numbers as texts, as the protocol has them."""
    return {"asInt": str(value)} if isinstance(value, int) else {"asDouble": value}


def histogram(counts: Sequence[int], total: float, bounds: Sequence[float]) -> Json:
    """Return the counts of a histogram."""
    return {
        "count": str(sum(counts)),
        "sum": total,
        "bucketCounts": [str(one) for one in counts],
        "explicitBounds": list(bounds),
    }


def resource_document(resource: Mapping[str, str], kind: str, items: Sequence[Json]) -> Json:
    """Return what a server sends of one kind, ``metrics`` or ``spans``."""
    scope = {"name": SCOPE, "version": RUNTIME_VERSION}
    of_resources, of_scopes = _OUTER[kind]
    content = {
        "resource": {"attributes": pairs(resource.items())},
        of_scopes: [{"scope": scope, kind: list(items)}],
    }
    return {of_resources: [content]}
