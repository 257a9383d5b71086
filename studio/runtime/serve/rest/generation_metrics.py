"""Metrics of language models: OpenTelemetry's conventions for GenAI in Prometheus' spelling."""

from __future__ import annotations

from itertools import groupby
from typing import Callable, Iterable, Iterator, List, Tuple

from ...generate.generator import TextGenerator
from ...generate.statistics import SECONDS
from ..engine.served_model import ServedModel
from .families import labels_of
from .metric_family import COUNTER, GAUGE, HISTOGRAM, Family, HistogramSample, Labels

_Found = List[Tuple[Labels, TextGenerator]]

_VALUES: Tuple[Tuple[str, str, str, Callable[[TextGenerator], float]], ...] = (
    ("requests_running", GAUGE, "Answers that are being generated", lambda g: g.loop.active),
    ("requests_waiting", GAUGE, "Requests that wait for a slot", lambda g: g.loop.waiting),
    ("cache_tokens", GAUGE, "Tokens in the caches of all slots", lambda g: g.loop.held),
    ("cache_room", GAUGE, "Tokens that the caches hold at most", lambda g: g.room),
    ("prompt_tokens_total", COUNTER, "Tokens of prompts", lambda g: g.statistics.prompt),
    ("cached_tokens_total", COUNTER, "Of these, from caches", lambda g: g.statistics.cached),
    ("answer_tokens_total", COUNTER, "Tokens of answers", lambda g: g.statistics.answer),
)


def generation_families(models: Iterable[ServedModel]) -> Iterator[Family]:
    """Yield what is counted of language models; nothing without such."""
    found = [(_labels(one), one.generator) for one in models if one.generator is not None]
    if not found:
        return
    for name, kind, text, value in _VALUES:
        samples = [(labels, float(value(generator))) for labels, generator in found]
        yield Family("edgewright_generation_" + name, kind, text, samples)
    ends = [
        ((*labels, ("reason", reason)), float(count))
        for labels, generator in found
        for reason, count in generator.statistics.reasons.items()
    ]
    yield Family("edgewright_generation_ends_total", COUNTER, "Answers by their end", ends)
    yield from _guard(found)
    yield from _histograms(found)


def _labels(model: ServedModel) -> Labels:
    more = (("gen_ai_provider_name", "edgewright"), ("gen_ai_request_model", model.name))
    return (*labels_of(model), *more)


def _guard(found: _Found) -> Iterator[Family]:
    """Yield the texts that broke guard rules; nothing without rules."""
    samples = [
        (
            (*labels, ("rule", rule.name), ("on", side), ("action", rule.action)),
            float(count),
        )
        for labels, generator in found
        if generator.guard is not None
        for rule in generator.guard.rules
        for side, count in (("prompt", rule.prompts), ("answer", rule.answers))
        if rule.on in (side + "s", "both")
    ]
    if samples:
        text = "Prompts and answers that broke a guard rule"
        yield Family("edgewright_guard_matches_total", COUNTER, text, samples)


def _histograms(found: _Found) -> Iterator[Family]:
    rows = [
        (instrument, kind, counts, labels)
        for labels, generator in found
        for instrument, kind, counts in generator.statistics.histograms()
    ]
    rows.sort(key=lambda row: row[0].name)
    for instrument, group in groupby(rows, key=lambda row: row[0]):
        name = instrument.name.replace(".", "_")
        name += "_seconds" if instrument.unit == SECONDS else ""
        samples = [
            HistogramSample(
                (*labels, ("gen_ai_token_type", kind)) if kind else labels,
                counts.counts,
                counts.total,
            )
            for _, kind, counts, labels in group
        ]
        yield Family(name, HISTOGRAM, instrument.text, histograms=samples, bounds=instrument.bounds)
