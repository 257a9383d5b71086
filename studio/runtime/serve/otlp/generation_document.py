"""Metrics of language models under the names of OpenTelemetry's conventions for GenAI."""

from __future__ import annotations

from itertools import groupby
from typing import Callable, Dict, Iterable, List, Mapping, Tuple

from ...generate.generator import TextGenerator
from ...generate.statistics import TOKENS
from ..engine.served_model import ServedModel
from .values import CUMULATIVE, SCOPE, Json, histogram, pairs

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
_Found = List[Tuple[Dict[str, str], TextGenerator]]


def generation_metrics(models: Iterable[ServedModel], moments: Mapping[str, str]) -> List[Json]:
    """Return the metrics of the language models among models.

    Args:
        moments: Begin and end of the counting, for each point.
    """
    found = [(attributes_of(one), one.generator) for one in models if one.generator is not None]
    return [*_histograms(found, moments), *_numbers(found, moments)] if found else []


def attributes_of(model: ServedModel) -> Dict[str, str]:
    """Return the attributes of a language model."""
    return {
        _OPERATION: "text_completion",
        _PROVIDER: SCOPE,
        _MODEL: model.name,
        "edgewright.model.version": model.version,
    }


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
            point = histogram(tuple(counts.counts), counts.total, instrument.bounds)
            points.append({**point, **moments, "attributes": pairs(own.items())})
        content: Json = {"dataPoints": points, "aggregationTemporality": CUMULATIVE}
        metrics.append(
            {
                "name": instrument.name,
                "unit": instrument.unit,
                "description": instrument.text,
                "histogram": content,
            }
        )
    return metrics


def _numbers(found: _Found, moments: Mapping[str, str]) -> List[Json]:
    metrics: List[Json] = []
    for table, key in ((_COUNTERS, "sum"), (_GAUGES, "gauge")):
        for name, unit, text, value in table:
            points = [
                {"asInt": str(value(one)), **moments, "attributes": pairs(attributes.items())}
                for attributes, one in found
            ]
            content: Json = {"dataPoints": points}
            if key == "sum":
                content.update(aggregationTemporality=CUMULATIVE, isMonotonic=True)
            full = "edgewright.generation." + name
            metrics.append({"name": full, "unit": unit, "description": text, key: content})
    return metrics
