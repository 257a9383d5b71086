"""The work of a profile of language models, in a worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from studio.jobs import Job
from studio.plugin_host import PluginHost
from studio.profiling import build as results
from studio.profiling.command import LOCAL_BENCH, LocalRunner, run_bench
from studio.profiling.language.capacity import Capacity, capacity, check, with_memory
from studio.profiling.language.plan import text_candidates, text_configuration
from studio.profiling.listener import BenchListener
from studio.profiling.record import ROUNDS_FILE, write_rounds
from studio.profiling.results import ProfileResult
from studio.profiling.step import ProfileOptions
from studio.registry import ModelRef
from studio.runtime.bench.tokens.plan import cell
from studio.runtime.shared.free_memory import available_bytes


def profile_language(
    host: PluginHost, options: ProfileOptions, job: Job, _claim: object
) -> ProfileResult:
    """Measure language models and compare them; on this computer, which needs no claim.

    Raises:
        UsageError: when a context does not fit in a model or in the memory.
        Unavailable: when a backend's environment is not installed.
        StudioError: when no candidate works.
    """
    chosen = text_candidates(host, options)
    known = _capacities(host, options.model, job)
    trained = [one.facts.context for one in known.values() if one.facts.context]
    config = text_configuration(chosen, options, min(trained, default=0))
    check(chosen, known, config.tokens, available_bytes())
    streams = config.tokens.streams[0]
    cells = {cell(each.label, "token", streams): each.label for each in chosen}
    listener = BenchListener(job, chosen, cells=cells)
    recording = run_bench(LocalRunner(job.folder, job), LOCAL_BENCH, config, listener)
    result = results.build(recording, chosen)
    write_rounds(recording, job.folder / ROUNDS_FILE)
    measured = (recording.result.contexts if recording.result else None) or ()
    runs = (
        with_memory(run, one, known.get(one.model.variant), config.tokens, measured)
        for run, one in zip(result.runs, chosen, strict=True)
    )
    return replace(result, runs=tuple(runs))


def _capacities(host: PluginHost, models: Sequence[ModelRef], job: Job) -> dict[int, Capacity]:
    found = {model.variant: capacity(host, model, job) for model in models}
    return {variant: one for variant, one in found.items() if one is not None}
