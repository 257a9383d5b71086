"""Metrics of language models: OpenTelemetry's conventions for GenAI in Prometheus' spelling."""

from __future__ import annotations

from itertools import groupby
from typing import Callable, Iterable, List, Tuple

from ...generate.generator import TextGenerator
from ...generate.statistics import SECONDS, BucketCounts, Instrument
from ..engine.served_model import ServedModel

_Row = Tuple[Instrument, str, BucketCounts]
Sample = Tuple[str, float]
Family = Callable[[List[str], str, str, str, Iterable[Sample]], None]
"""Writes a family of metrics: lines, name, kind, text, samples."""

_GAUGES: Tuple[Tuple[str, str, Callable[[TextGenerator], float]], ...] = (
    ("requests_running", "Answers that are being generated", lambda g: g.loop.active),
    ("requests_waiting", "Requests that wait for a slot", lambda g: g.loop.waiting),
    ("cache_tokens", "Tokens in the caches of all slots", lambda g: g.loop.held),
    ("cache_room", "Tokens that the caches hold at most", lambda g: g.room),
)
_COUNTERS: Tuple[Tuple[str, str, Callable[[TextGenerator], float]], ...] = (
    ("prompt_tokens_total", "Tokens of prompts", lambda g: g.statistics.prompt),
    ("cached_tokens_total", "Tokens of prompts from caches", lambda g: g.statistics.cached),
    ("answer_tokens_total", "Tokens of answers", lambda g: g.statistics.answer),
)


def write_generation(
    lines: List[str],
    models: Iterable[ServedModel],
    labels: Callable[[ServedModel], str],
    family: Family,
) -> None:
    """Write what is counted of language models; nothing without such.

    Args:
        labels: Returns the labels of a model.
    """
    found = [(labels(one), one.generator) for one in models if one.generator is not None]
    if not found:
        return
    for kind, table in (("gauge", _GAUGES), ("counter", _COUNTERS)):
        for name, text, value in table:
            samples = [(label, float(value(generator))) for label, generator in found]
            family(lines, "edgewright_generation_" + name, kind, text, samples)
    ends = [
        ('{},reason="{}"'.format(label, reason), float(count))
        for label, generator in found
        for reason, count in generator.statistics.reasons.items()
    ]
    family(lines, "edgewright_generation_ends_total", "counter", "Answers by their end", ends)
    _guard(lines, found, family)
    for label, generator in found:
        _histograms(lines, label, generator.statistics.histograms(), family)


def _guard(lines: List[str], found: Iterable[Tuple[str, TextGenerator]], family: Family) -> None:
    """Write the texts that broke guard rules; nothing without rules."""
    form = '{},rule="{}",on="{}",action="{}"'
    samples = [
        (form.format(label, _escaped(rule.name), side, rule.action), float(count))
        for label, generator in found
        if generator.guard is not None
        for rule in generator.guard.rules
        for side, count in (("prompt", rule.prompts), ("answer", rule.answers))
        if rule.on in (side + "s", "both")
    ]
    if samples:
        text = "Prompts and answers that broke a guard rule"
        family(lines, "edgewright_guard_matches_total", "counter", text, samples)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _histograms(lines: List[str], label: str, rows: Iterable[_Row], family: Family) -> None:
    for instrument, group in groupby(rows, key=lambda row: row[0]):
        name = instrument.name.replace(".", "_")
        name += "_seconds" if instrument.unit == SECONDS else ""
        family(lines, name, "histogram", instrument.text, ())
        for _, kind, histogram in group:
            own = label + (',gen_ai_token_type="{}"'.format(kind) if kind else "")
            _buckets(lines, name, own, instrument, histogram)


def _buckets(
    lines: List[str], name: str, label: str, instrument: Instrument, histogram: BucketCounts
) -> None:
    total = 0
    for bound, count in zip((*map(repr, instrument.bounds), "+Inf"), histogram.counts):
        total += count
        lines.append('{}_bucket{{{},le="{}"}} {}'.format(name, label, bound, total))
    lines.append("{}_sum{{{}}} {:.6f}".format(name, label, histogram.total))
    lines.append("{}_count{{{}}} {}".format(name, label, total))
