"""Metrics of a server as OpenTelemetry's protocol has them in JSON (OTLP 1.x, cumulative)."""

from __future__ import annotations

from typing import Iterable, List, Mapping

from ..engine.served_model import ServedModel
from ..rest.metric_family import COUNTER, HISTOGRAM, Family
from .values import CUMULATIVE, Json, histogram, moment, number, pairs, resource_document

_TOTAL = "_total"


def metrics_document(
    families: Iterable[Family],
    models: Iterable[ServedModel],
    resource: Mapping[str, str],
    started: float,
    now: float,
) -> Json:
    """Return the body of an export.

    Args:
        families: What is counted of the server and each model. Counters lose the ending
            ``_total``, which Prometheus adds to those of OpenTelemetry.
        models: Of which the language models are counted by tokens.
        resource: Attributes of the server.
        started: Wall clock when counting began, seconds since the epoch.
        now: Wall clock.
    """
    moments = {"startTimeUnixNano": moment(started), "timeUnixNano": moment(now)}
    metrics = [_metric(family, moments) for family in families]
    generating = [model for model in models if model.generator is not None]
    if generating:
        from .generation_document import generation_metrics

        metrics += generation_metrics(generating, moments)
    return resource_document(resource, "metrics", metrics)


def _metric(family: Family, moments: Mapping[str, str]) -> Json:
    name, points = family.name, _points(family, moments)
    if family.kind == HISTOGRAM:
        content: Json = {"dataPoints": points, "aggregationTemporality": CUMULATIVE}
        head = {"name": name, "unit": family.unit, "description": family.text}
        return {**head, "histogram": content}
    if family.kind == COUNTER:
        name = name[: -len(_TOTAL)] if name.endswith(_TOTAL) else name
        content = {
            "dataPoints": points,
            "aggregationTemporality": CUMULATIVE,
            "isMonotonic": True,
        }
        return {"name": name, "description": family.text, "sum": content}
    return {"name": name, "description": family.text, "gauge": {"dataPoints": points}}


def _points(family: Family, moments: Mapping[str, str]) -> List[Json]:
    values = [(labels, number(value)) for labels, value in family.samples]
    values += [
        (one.labels, histogram(one.counts, one.total, family.bounds)) for one in family.histograms
    ]
    return [{**value, **moments, "attributes": pairs(labels)} for labels, value in values]
