"""The result of ``studio profile``, made from a recording; its keys are a contract."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import replace

from studio.documents.dataclass_json import from_json, to_json
from studio.profiling import modes
from studio.profiling.language.build import token_run, token_verdicts
from studio.profiling.modes import sentences
from studio.profiling.plan import Candidate
from studio.profiling.recording import Recording
from studio.profiling.results import (
    Comparison,
    CpuRatio,
    MeasuredEnvironment,
    ProfileResult,
    ProfileRun,
    TwinControl,
)
from studio.runtime.bench.events import BenchResult, CandidateFacts, Round, RunnerDescription
from studio.runtime.bench.facts import EnergySensor, NoEnergySensor
from studio.runtime.bench.measures.rounds import times
from studio.runtime.bench.statistics import percentiles
from studio.runtime.bench.statistics.bootstrap import Interval
from studio.runtime.bench.statistics.verdicts import WIDEST_EQUAL, Verdict, compare, margin_of


def build(recording: Recording, chosen: Sequence[Candidate]) -> ProfileResult:
    """Build all but operators and placement, which need the models' graphs."""
    mode = recording.config.mode
    spoiled = [each for each in recording.rounds if each.spoiled]
    last = recording.result or BenchResult()
    result = ProfileResult(
        environment=_environment(recording),
        mode=mode,
        runs=tuple(_run(each, recording, mode) for each in chosen),
        reference=recording.reference,
        feeds=last.feeds,
        rounds=len(recording.rounds),
        rounds_kept=len(recording.clean_rounds),
        spoiled=len(spoiled),
        spoiled_reasons=_counts(spoiled),
        spoiled_kept=bool(spoiled) and recording.clean_rounds is recording.rounds,
        complete=recording.complete,
        interruption=recording.interruption,
        looks=last.looks,
        energy=_energy(last),
    )
    result = _compared(recording, result)
    return replace(result, notes=(*recording.remarks, *notes(result)))


def _energy(result: BenchResult) -> EnergySensor | NoEnergySensor | None:
    """Return the energy of the sensor, without those of the runs."""
    if result.energy is None:
        return None
    if result.energy.state == "no sensor":
        return NoEnergySensor("no sensor", result.energy.reason)
    return from_json(EnergySensor, to_json(result.energy))


def _compared(recording: Recording, result: ProfileResult) -> ProfileResult:
    """Add the comparisons that the mode makes."""
    noise: Interval | None = None
    verdicts: list[Comparison] = []
    if result.mode == "latency":
        found, noise = verdicts_of(recording)
        cpu = _cpu_verdicts(recording)
        verdicts = [_with_cpu(each, cpu.get(each.b)) for each in found]
    elif result.mode == "throughput":
        verdicts, noise = modes.throughput_verdicts(recording, [row.id for row in result.runs])
    elif result.mode == "tokens":
        verdicts, noise = token_verdicts(recording)
    elif result.mode == "open-loop":
        verdicts = modes.open_loop_verdicts(result.runs, recording.reference)
    else:
        result = replace(result, ranking=modes.ranking(result.runs))
    twin = TwinControl(**vars(noise), margin=margin_of(noise)) if noise else None
    return replace(result, verdicts=tuple(verdicts), twin=twin)


def round_times(recording: Recording, candidate: str, kind: str = "wall") -> list[float]:
    """Return a candidate's time for one inference in each clean round; see ``rounds.times``."""
    return times(recording.clean_rounds, candidate, kind)


def verdicts_of(recording: Recording, kind: str = "wall") -> tuple[list[Verdict], Interval | None]:
    """Return the comparisons, at the level of the last interim check; the twin's ratio."""
    measured = {name for each in recording.rounds for name in each.times_ns}
    if recording.reference not in measured:
        return [], None
    names = [name for name in recording.states if name in measured]
    found = {name: round_times(recording, name, kind) for name in names}
    return compare(recording.reference, found, recording.twin, recording.alpha)


def _cpu_verdicts(recording: Recording) -> dict[str, Verdict]:
    """Return ratios of CPU time, if every candidate has one thread.

    CPU time excludes other work of the machine, but counts threads that spin: with more than
    one it is no measure of latency.
    """
    described = [each.describe or RunnerDescription() for each in recording.facts.values()]
    threads = [each.threads for each in described]
    if not threads or any(count not in (1, None) for count in threads):
        return {}
    return {each.b: each for each in verdicts_of(recording, "cpu")[0]}


def _with_cpu(verdict: Verdict, cpu: Verdict | None) -> Comparison:
    ratio = CpuRatio(cpu.ratio, cpu.low, cpu.high, cpu.verdict) if cpu else None
    return Comparison(**vars(verdict), text=verdict.text, cpu=ratio)


def _run(candidate: Candidate, recording: Recording, mode: str) -> ProfileRun:
    label = candidate.label
    blocks = (each.times_ns.get(label, []) for each in recording.clean_rounds)
    inferences = [time for block in blocks for time in block]
    facts = recording.facts.get(label) or CandidateFacts()
    last = recording.facts.get(label) or recording.states.get(label)
    described = facts.describe or RunnerDescription()
    run = ProfileRun(
        id=label,
        model=candidate.model_label,
        variant=candidate.model.name,
        variant_id=candidate.model.variant,
        backend=candidate.backend,
        runtime=candidate.runtime,
        options=dict(candidate.options),
        version=described.version,
        device=described.device,
        providers=described.providers,
        precision=_precision(described, candidate),
        threads=described.threads,
        state=(last and last.state) or "not measured",
        reason=(last and last.reason) or "",
        samples=len(inferences),
        latency_ms=percentiles.latency(inferences),
        early_stopping_ms=percentiles.early_stopping_ms(inferences),
        missing=percentiles.missing(len(inferences)),
        distribution=tuple(percentiles.distribution(inferences)),
        round_ms=tuple(
            round(time / 1e6, 6) for time in round_times(recording, label) if time == time
        ),
        cpu_ms=_cpu_ms(recording, label),
        first_ms=facts.first_ms,
        import_ms=facts.import_ms,
        load_ms=facts.load_ms,
        memory_mb=facts.memory_mb,
        memory_base_mb=facts.memory_base_mb,
        max_error=facts.max_error,
        relative_error=facts.relative_error,
        same_model_error=facts.same_model_error,
        warm_up=facts.warm_up,
    )
    energy = recording.result.energy if recording.result else None
    return replace(
        _in_mode(run, recording, facts, mode), energy=energy.runs.get(label) if energy else None
    )


def _in_mode(run: ProfileRun, recording: Recording, facts: CandidateFacts, mode: str) -> ProfileRun:
    """Return the run with the facts of one mode."""
    if mode == "throughput" and recording.rounds:
        return replace(run, throughput=modes.throughput(recording, run.id))
    if mode == "open-loop":
        return replace(run, open_loop=facts.open_loop or modes.unfinished(recording, run.id))
    if mode == "sustained":
        streams = recording.config.streams[0]
        return replace(run, sustained=modes.sustained(recording, run.id, streams))
    if mode == "tokens":
        return token_run(run, recording)
    return run


def _precision(described: RunnerDescription, candidate: Candidate) -> str:
    """Return the effective precision: the runtime's own if it names one, else the variant's."""
    own = described.precision or ""
    return candidate.model.precision if own in ("", "as in the model") else own


def _cpu_ms(recording: Recording, candidate: str) -> float | None:
    taken = [time for time in round_times(recording, candidate, "cpu") if time == time]
    return statistics.median(taken) / 1e6 if taken else None


def _environment(recording: Recording) -> MeasuredEnvironment:
    described = [each.describe for each in recording.facts.values() if each.describe]
    clocks = [each.clock_mhz for each in recording.rounds if each.clock_mhz]
    heat = [each.temperature_c for each in recording.rounds if each.temperature_c]
    return MeasuredEnvironment(
        **vars(recording.environment),
        runtimes={each.runtime: each.version for each in described if each.runtime},
        clock_mhz=statistics.median(clocks) if clocks else None,
        temperature_c=max(heat) if heat else None,
        end=recording.result.environment_end if recording.result else None,
    )


def _counts(spoiled: Sequence[Round]) -> dict[str, int]:
    reasons = [reason for each in spoiled for reason in each.spoiled]
    return {reason: reasons.count(reason) for reason in dict.fromkeys(reasons)}


_WAITING = 0.2
"""A single thread that is off the processor for more of its time was disturbed."""


def notes(result: ProfileResult) -> list[str]:
    """Return the sentences, the gravest first."""
    return [
        *_incomplete(result),
        *sentences(result),
        *_noise(result),
        *_waiting(result),
        *_assumed(result),
        *_without_energy(result),
    ]


def _incomplete(result: ProfileResult) -> Iterator[str]:
    if result.interruption:
        reason = result.interruption.rstrip(".")
        yield f"The measurement ended after {result.rounds} rounds: {reason}."


def _noise(result: ProfileResult) -> Iterator[str]:
    if result.spoiled_kept:
        reasons = ", ".join(result.spoiled_reasons)
        yield f"Background load in every round ({reasons}); disturbed rounds were kept."
    if result.twin and result.twin.margin > WIDEST_EQUAL:
        yield (
            f"A/A control differed by up to {result.twin.margin:.0%}; "
            "no pair was reported as equal."
        )
    for run in result.runs:
        if run.warm_up and not run.warm_up.stable:
            yield f"The times of {run.id} did not settle during the warm-up."


def _waiting(result: ProfileResult) -> Iterator[str]:
    for run in result.runs:
        wall, cpu = run.latency_ms.p50, run.cpu_ms
        if run.threads == 1 and run.device == "cpu" and wall and cpu:
            share = 1 - cpu / wall
            if share > _WAITING:
                yield f"The machine was busy: {run.id} waited for it {share:.0%} of the time."


def _assumed(result: ProfileResult) -> Iterator[str]:
    for each in result.feeds:
        if any(axis > 0 for axis in each.assumed):
            shape = "x".join(map(str, each.shape))
            yield (
                f"The model leaves the size of {each.name} open; {shape} was assumed. Pass the "
                f"real shape: --shapes {each.name}=..."
            )


def _without_energy(result: ProfileResult) -> Iterator[str]:
    if result.energy and result.energy.state != "measured":
        yield f"Energy was not measured: {result.energy.reason}."
