"""Tables of a profile of language models, for people."""

from __future__ import annotations

from collections.abc import Sequence

from studio.documents.text_table import table
from studio.profiling.language.results import MemoryAt, TokenSetting
from studio.profiling.results import ProfileRun

_HEAD = (
    *("model", "runtime", "threads", "streams", "first token ms", "p90"),
    *("prefill tokens/s", "token ms", "p90", "tokens/s", "95 %"),
)
_MEMORY = ("model", "runtime", "context", "streams", "predicted MiB", "measured MiB", "error")


def tokens(runs: Sequence[ProfileRun]) -> list[str]:
    """Return a row for each number of streams of each run, then the prompts, then the memory."""
    rows = [
        (run.model, run.runtime or run.backend, str(run.threads or "-"), *_setting(one))
        for run in runs
        if run.tokens
        for one in run.tokens.settings
    ]
    return [*table(_HEAD, rows, right="  " + "r" * 9), *_prompts(runs), *_memory(runs)]


def _setting(one: TokenSetting) -> tuple[str, ...]:
    known = one.low is not None and one.high is not None
    return (
        str(one.streams),
        _milliseconds(one.first_ms.p50),
        _milliseconds(one.first_ms.p90),
        _rate(one.prefill_per_second),
        _milliseconds(one.token_ms.p50),
        _milliseconds(one.token_ms.p90),
        _rate(one.per_second),
        f"{one.low:.1f}-{one.high:.1f}" if known else "-",
    )


def _prompts(runs: Sequence[ProfileRun]) -> list[str]:
    """Return a sentence for each distribution of prompts that was read."""
    found = dict.fromkeys(run.tokens.prompts for run in runs if run.tokens)
    return [
        f"Prompts of {one.p50:,.0f} tokens (95th percentile {one.p95:,.0f}), answers of "
        f"{one.answer:,}; the first token includes the prompt and no further run."
        for one in found
        if one.p50 is not None and one.p95 is not None
    ]


def _memory(runs: Sequence[ProfileRun]) -> list[str]:
    rows = [
        (run.model, run.runtime or run.backend, *_row(one))
        for run in runs
        if run.tokens
        for one in run.tokens.memory
    ]
    failed = [
        f"{run.id} with {one.context:,} tokens of context: {one.reason}"
        for run in runs
        if run.tokens
        for one in run.tokens.memory
        if one.reason
    ]
    return [*(["", *table(_MEMORY, rows, right="  rrrrr")] if rows else []), *failed]


def _row(one: MemoryAt) -> tuple[str, ...]:
    error = "-" if one.error is None else f"{one.error:+.1%}"
    sizes = f"{one.context:,}", str(one.streams)
    return *sizes, _rate(one.predicted_mb), _rate(one.measured_mb), error


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"
