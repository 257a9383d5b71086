"""Memory of language models in a profile: checked before they are loaded, and predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from studio.api import Extension, Format, LanguageModel, Limits, Progress, UsageError
from studio.lazy_dataclass import dataclass
from studio.models.language.folder import language_facts
from studio.models.language.memory import (
    MemoryNeed,
    MemorySettings,
    largest_context,
    memory_need,
    repacked_bytes,
)
from studio.plugin_host import PluginHost
from studio.profiling.language.results import MemoryAt
from studio.profiling.plan import Candidate
from studio.profiling.results import ProfileRun
from studio.registry import ModelRef
from studio.runtime.bench.facts import ContextMemory, known
from studio.runtime.bench.tokens.plan import TokenPlan

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Capacity:
    """Facts from which the memory of a variant follows.

    Attributes:
        files: Bytes of its weights and its graph.
        repacked: Bytes of weights that llama.cpp holds twice.
    """

    facts: LanguageModel
    files: int
    repacked: int = 0

    def need(self, candidate: Candidate, context: int, slots: int) -> MemoryNeed | None:
        """Return the memory on a candidate's backend; None where it is not known."""
        settings = _settings(candidate, slots)
        return memory_need(
            self.facts, self.files, candidate.backend, context, settings, self.repacked
        )

    def fitting(self, candidate: Candidate, available: int, slots: int) -> int:
        """Return the tokens of context that fit in some bytes; 0 where none do."""
        settings = _settings(candidate, slots)
        return largest_context(
            self.facts, self.files, candidate.backend, available, settings, self.repacked
        )


def capacity(host: PluginHost, model: ModelRef, progress: Progress) -> Capacity | None:
    """Read the facts of a variant; None where its files have none."""
    format: Format = host.get(Extension.FORMAT, model.format)
    path = Path(model.path)
    read = format.read(path, progress)
    facts = read.language or language_facts(path)
    if facts is None:
        return None
    files = format.intake(path, Limits()).files
    size = sum(one.stat().st_size for one in files)
    return Capacity(facts, size, repacked_bytes(read))


def check(
    candidates: Sequence[Candidate],
    known: Mapping[int, Capacity],
    plan: TokenPlan,
    available: int | None,
) -> None:
    """Raise if a context is longer than a model's, or takes more memory than is free.

    Args:
        known: By the number of the variant.
        available: Free bytes; None where the system does not count them.

    Raises:
        UsageError: with what would fit.
    """
    for one in candidates:
        found = known.get(one.model.variant)
        if found is None:
            continue
        _check_length(one, found, plan)
        slots = max(plan.streams)
        cases = [(plan.room, slots), *((context, 1) for context in plan.contexts)]
        for context, count in cases:
            need = found.need(one, context, count)
            if available is not None and need is not None and need.total > available:
                raise _too_much(one, found, need.total, (context, count), available)


def with_memory(
    run: ProfileRun,
    candidate: Candidate,
    found: Capacity | None,
    plan: TokenPlan,
    measured: Sequence[ContextMemory],
) -> ProfileRun:
    """Return the run with its memory at each context, predicted and measured."""
    if run.tokens is None:
        return run
    rows = {one.context: one for one in measured if one.id == run.id}
    cases = [(context, 1) for context in plan.contexts]
    if not cases and run.tokens.context:
        cases = [(run.tokens.context, max(plan.streams))]
    made = (_row(case, candidate, found, rows.get(case[0])) for case in cases)
    return replace(run, tokens=replace(run.tokens, memory=tuple(made)))


def _row(
    case: tuple[int, int],
    candidate: Candidate,
    found: Capacity | None,
    row: ContextMemory | None,
) -> MemoryAt:
    context, streams = case
    need = found.need(candidate, context, streams) if found else None
    predicted = need.total / _MIB if need else None
    measured = row.peak_mb if row else None
    return MemoryAt(
        context,
        predicted,
        {name: value / _MIB for name, value in need.parts.items()} if need else {},
        measured,
        predicted / measured - 1 if predicted and measured else None,
        row.reason if row else "",
        streams,
    )


def _check_length(candidate: Candidate, found: Capacity, plan: TokenPlan) -> None:
    trained = found.facts.context
    longest = max([plan.room, *plan.contexts])
    if trained is not None and longest > trained:
        raise UsageError(
            f"{candidate.model_label} was made for {trained:,} tokens of context; "
            f"{longest:,} were requested.",
            hint="Pass shorter prompts, answers or contexts.",
        )


def _too_much(
    candidate: Candidate,
    found: Capacity,
    total: int,
    asked: tuple[int, int],
    available: int,
) -> UsageError:
    context, slots = asked
    of = f"{slots} streams of " if slots > 1 else ""
    fits = found.fitting(candidate, available, slots)
    return UsageError(
        f"{candidate.label} needs {total / 1e9:.2f} GB for {of}{context:,} tokens of context; "
        f"{available / 1e9:.2f} GB is free.",
        hint=f"{fits:,} tokens would fit." if fits else "Pass a smaller model.",
    )


def _settings(candidate: Candidate, slots: int) -> MemorySettings:
    return known(MemorySettings, {**candidate.options, "slots": slots})
