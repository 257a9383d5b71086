"""Figures of language models, made from a recording."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace

import numpy

from studio.profiling.language.results import PromptLengths, TokenRun, TokenSetting
from studio.profiling.recording import Recording
from studio.profiling.results import Comparison, ProfileRun
from studio.runtime.bench.events import CandidateFacts, Round
from studio.runtime.bench.facts import TokenFacts
from studio.runtime.bench.measures.rounds import times
from studio.runtime.bench.statistics import percentiles
from studio.runtime.bench.statistics.bootstrap import ALPHA, Bootstrap, Interval
from studio.runtime.bench.statistics.verdicts import LEAST_ROUNDS
from studio.runtime.bench.tokens.comparison import MeasuredVerdict, compared
from studio.runtime.bench.tokens.plan import cell

_MEASURES = {
    "token": "Time of a token",
    "first": "Time to the first token",
    "all": "Tokens of {} streams",
}


def token_run(run: ProfileRun, recording: Recording) -> ProfileRun:
    """Return the run with the figures of all streams; its latency is the time of a token."""
    rounds, facts = recording.clean_rounds, _facts(recording, run.id)
    streams = list(dict.fromkeys(recording.config.tokens.streams))
    name = cell(run.id, "token", streams[0])
    tokens = [time for each in rounds for time in each.times_ns.get(name, ())]
    cpu = [time for time in times(rounds, name, "cpu") if time == time]
    settings = (_setting(rounds, run.id, count, facts) for count in streams)
    return replace(
        run,
        samples=len(tokens),
        latency_ms=percentiles.latency(tokens),
        early_stopping_ms=percentiles.early_stopping_ms(tokens),
        missing=percentiles.missing(len(tokens)),
        distribution=tuple(percentiles.distribution(tokens)),
        round_ms=tuple(round(time / 1e6, 6) for time in times(rounds, name) if time == time),
        cpu_ms=statistics.median(cpu) / 1e6 if cpu else None,
        tokens=TokenRun(
            prompts=_prompts(recording, facts),
            context=facts.context or None,
            settings=tuple(one for one in settings if one.rounds),
        ),
    )


def token_verdicts(recording: Recording) -> tuple[list[Comparison], Interval | None]:
    """Return the comparisons by each measure, and the twin's ratio."""
    labels = [name for name in recording.states if _measured(recording, name)]
    if recording.reference not in labels:
        return [], None
    streams = recording.config.tokens.streams
    found = compared(
        recording.clean_rounds,
        recording.reference,
        labels,
        recording.twin if recording.twin in labels else None,
        streams,
        recording.alpha,
    )
    return [_comparison(one) for one in found.verdicts], found.twin


def _comparison(found: MeasuredVerdict) -> Comparison:
    title = _MEASURES[found.measure].format(found.streams)
    return Comparison(
        **vars(found.verdict),
        text=f"{title}: {found.verdict.text}",
        measure=found.measure,
        streams=found.streams,
    )


def _measured(recording: Recording, label: str) -> bool:
    prefix = f"{label}|"
    return any(name.startswith(prefix) for each in recording.rounds for name in each.times_ns)


def _facts(recording: Recording, label: str) -> TokenFacts:
    known = recording.facts.get(label, CandidateFacts()).tokens
    return known or TokenFacts(prompts=tuple(recording.config.tokens.lengths))


def _prompts(recording: Recording, facts: TokenFacts) -> PromptLengths:
    read = [_prompt(facts, each) for each in recording.clean_rounds]
    if not read:
        return PromptLengths(answer=recording.config.tokens.answer)
    p50, p95 = (float(value) for value in numpy.percentile(read, [50, 95]))
    return PromptLengths(len(set(read)), p50, p95, recording.config.tokens.answer)


def _prompt(facts: TokenFacts, made: Round) -> int:
    """Return the tokens of a round's prompt."""
    return facts.prompts[(made.round - 1) % len(facts.prompts)]


def _setting(rounds: Sequence[Round], label: str, streams: int, facts: TokenFacts) -> TokenSetting:
    first, token, share = (cell(label, name, streams) for name in ("first", "token", "all"))
    kept = [each for each in rounds if first in each.times_ns]
    prefill = [(_prompt(facts, each) * streams, each.wall_ns[first]) for each in kept]
    rates = [time for time in times(kept, share) if time == time]
    low = high = None
    if len(rates) >= LEAST_ROUNDS:
        interval = Bootstrap(numpy.log(rates).tolist()).ratio(ALPHA)
        low, high = 1e9 / interval.high, 1e9 / interval.low
    cores = [each.cpu_ns[token] / each.wall_ns[token] for each in kept if each.wall_ns.get(token)]
    return TokenSetting(
        streams,
        first_ms=percentiles.latency([time for each in kept for time in each.times_ns[first]]),
        token_ms=percentiles.latency(
            [time for each in kept for time in each.times_ns.get(token, ())]
        ),
        prefill_per_second=_rate(prefill),
        per_second=1e9 / statistics.median(rates) if rates else None,
        low=low,
        high=high,
        cores_used=statistics.median(cores) if cores else None,
        rounds=len(kept),
    )


def _rate(prefill: Sequence[tuple[int, float]]) -> float | None:
    """Return tokens a second over all prompts: long ones count for as much as they take."""
    taken = sum(time for _, time in prefill)
    return 1e9 * sum(tokens for tokens, _ in prefill) / taken if taken else None
