"""The result of ``studio profile``, made from a recording; its keys are a contract."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from studio.profiling import modes
from studio.profiling.modes import sentences
from studio.profiling.plan import Candidate
from studio.profiling.recording import Recording
from studio.runtime.bench.measures.rounds import times
from studio.runtime.bench.statistics import percentiles
from studio.runtime.bench.statistics.bootstrap import Interval
from studio.runtime.bench.statistics.verdicts import WIDEST_EQUAL, Verdict, compare, margin_of


def build(recording: Recording, chosen: Sequence[Candidate]) -> dict[str, Any]:
    """Everything but the operators, which need the models' graphs."""
    mode = str(recording.config.get("mode") or "latency")
    facts = {each["id"]: each for each in recording.result.get("candidates", [])}
    spoiled = [each for each in recording.rounds if each.get("spoiled")]
    result: dict[str, Any] = {
        "environment": _environment(recording, facts),
        "mode": mode,
        "runs": [_run(each, recording, facts.get(each.label, {}), mode) for each in chosen],
        "reference": recording.reference,
        "feeds": recording.result.get("feeds", []),
        "rounds": len(recording.rounds),
        "rounds_kept": len(recording.clean_rounds),
        "spoiled": len(spoiled),
        "spoiled_reasons": _counts(spoiled),
        "spoiled_kept": bool(spoiled) and recording.clean_rounds is recording.rounds,
        "complete": recording.complete,
        "interruption": recording.interruption,
        "looks": recording.result.get("looks"),
        "operators": [],
    }
    result |= _compared(recording, result["runs"], mode)
    return result | {"notes": notes(result)}


def _compared(recording: Recording, rows: Sequence[Mapping[str, Any]], mode: str) -> dict[str, Any]:
    """The comparisons that a mode makes."""
    noise: Interval | None = None
    more: dict[str, Any] = {}
    verdicts: list[dict[str, Any]] = []
    if mode == "latency":
        found, noise = verdicts_of(recording)
        cpu = _cpu_verdicts(recording)
        verdicts = [_with_cpu(each, cpu.get(each.b)) for each in found]
    elif mode == "throughput":
        labels = [row["id"] for row in rows]
        verdicts, noise = modes.throughput_verdicts(recording, labels)
    elif mode == "open-loop":
        verdicts = modes.open_loop_verdicts(rows, recording.reference)
    else:
        more["ranking"] = modes.ranking(rows)
    twin = asdict(noise) | {"margin": margin_of(noise)} if noise else None
    return {"verdicts": verdicts, "twin": twin, **more}


def round_times(recording: Recording, candidate: str, kind: str = "wall") -> list[float]:
    """A candidate's time for one inference in each clean round; see ``rounds.times``."""
    return times(recording.clean_rounds, candidate, kind)


def verdicts_of(recording: Recording, kind: str = "wall") -> tuple[list[Verdict], Interval | None]:
    """The comparisons, at the level of the look that ended the rounds; the twin's ratio."""
    measured = {name for each in recording.rounds for name in each["times_ns"]}
    if recording.reference not in measured:
        return [], None
    names = [name for name in recording.states if name in measured]
    found = {name: round_times(recording, name, kind) for name in names}
    return compare(recording.reference, found, recording.twin, recording.alpha)


def _cpu_verdicts(recording: Recording) -> dict[str, Verdict]:
    """Ratios of CPU time, where every candidate has one thread.

    CPU time is blind to what else the machine does, but counts threads that spin: with more than
    one it says nothing about latency.
    """
    threads = [
        each.get("describe", {}).get("threads") for each in recording.result.get("candidates", [])
    ]
    if not threads or any(count not in (1, None) for count in threads):
        return {}
    return {each.b: each for each in verdicts_of(recording, "cpu")[0]}


def _with_cpu(verdict: Verdict, cpu: Verdict | None) -> dict[str, Any]:
    keys = ("ratio", "low", "high", "verdict")
    found = {key: getattr(cpu, key) for key in keys} if cpu else None
    return verdict.to_json() | {"cpu": found}


def _run(
    candidate: Candidate, recording: Recording, facts: Mapping[str, Any], mode: str
) -> dict[str, Any]:
    inferences = [
        time
        for each in recording.clean_rounds
        for time in each["times_ns"].get(candidate.label, [])
    ]
    state, reason = recording.states.get(candidate.label, ("not measured", ""))
    described = facts.get("describe", {})
    return {
        "id": candidate.label,
        "model": candidate.model_label,
        "variant": candidate.model.name,
        "variant_id": candidate.model.variant,
        "backend": candidate.backend,
        "runtime": candidate.runtime,
        "options": dict(candidate.options),
        "version": described.get("version"),
        "device": described.get("device"),
        "providers": described.get("providers", []),
        "precision": _precision(described, candidate),
        "threads": described.get("threads"),
        "state": facts.get("state", state),
        "reason": facts.get("reason", reason),
        **percentiles.summary(inferences),
        "distribution": percentiles.distribution(inferences),
        "round_ms": [
            round(time / 1e6, 6) for time in round_times(recording, candidate.label) if time == time
        ],
        "cpu_ms": _cpu_ms(recording, candidate.label),
        "first_ms": facts.get("first_ms"),
        "import_ms": facts.get("import_ms"),
        "load_ms": facts.get("load_ms"),
        "memory_mb": facts.get("memory_mb"),
        "memory_base_mb": facts.get("memory_base_mb"),
        "max_error": facts.get("max_error"),
        "relative_error": facts.get("relative_error"),
        "same_model_error": facts.get("same_model_error"),
        "warm_up": facts.get("warm_up"),
        **_in_mode(candidate.label, recording, facts, mode),
    }


def _in_mode(
    label: str, recording: Recording, facts: Mapping[str, Any], mode: str
) -> dict[str, Any]:
    """What only one mode knows of a row."""
    found: dict[str, Any] = dict.fromkeys(("throughput", "open_loop", "sustained"))
    if mode == "throughput" and recording.rounds:
        found["throughput"] = modes.throughput(recording, label)
    elif mode == "open-loop":
        found["open_loop"] = facts.get("open_loop") or modes.unfinished(recording, label)
    elif mode == "sustained":
        streams = int(recording.config.get("streams", [1])[0])
        found["sustained"] = modes.sustained(recording, label, streams)
    return found


def _precision(described: Mapping[str, Any], candidate: Candidate) -> str:
    """The effective precision: the runtime's own where it tells one, else the variant's."""
    told = str(described.get("precision") or "")
    return candidate.model.precision if told in ("", "as in the model") else told


def _cpu_ms(recording: Recording, candidate: str) -> float | None:
    taken = [time for time in round_times(recording, candidate, "cpu") if time == time]
    return statistics.median(taken) / 1e6 if taken else None


def _environment(recording: Recording, facts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    runtimes = {
        each["describe"]["runtime"]: each["describe"].get("version")
        for each in facts.values()
        if each.get("describe", {}).get("runtime")
    }
    clocks = [each["clock_mhz"] for each in recording.rounds if each.get("clock_mhz")]
    heat = [each["temperature_c"] for each in recording.rounds if each.get("temperature_c")]
    return recording.environment | {
        "runtimes": runtimes,
        "clock_mhz": statistics.median(clocks) if clocks else None,
        "temperature_c": max(heat) if heat else None,
    }


def _counts(spoiled: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    reasons = [reason for each in spoiled for reason in each["spoiled"]]
    return {reason: reasons.count(reason) for reason in dict.fromkeys(reasons)}


_WAITING = 0.2
"""A single thread that is off the processor for more of its time was disturbed."""


def notes(result: Mapping[str, Any]) -> list[str]:
    """The sentences, the gravest first.

    Args:
        result: As ``results.build`` makes it.
    """
    return [
        *_incomplete(result),
        *sentences(result),
        *_noise(result),
        *_waiting(result),
        *_assumed(result),
    ]


def _incomplete(result: Mapping[str, Any]) -> Iterator[str]:
    if result["interruption"]:
        reason = str(result["interruption"]).rstrip(".")
        yield f"The measurement ended after {result['rounds']} rounds: {reason}."


def _noise(result: Mapping[str, Any]) -> Iterator[str]:
    if result["spoiled_kept"]:
        reasons = ", ".join(result["spoiled_reasons"])
        yield f"Background load in every round ({reasons}); disturbed rounds were kept."
    twin = result["twin"]
    if twin is not None and twin["margin"] > WIDEST_EQUAL:
        yield (
            f"A/A control differed by up to {twin['margin']:.0%}; no pair was reported as equal."
        )
    for run in result["runs"]:
        if run["warm_up"] and not run["warm_up"]["stable"]:
            yield f"The times of {run['id']} did not settle during the warm-up."


def _waiting(result: Mapping[str, Any]) -> Iterator[str]:
    for run in result["runs"]:
        wall, cpu = run["latency_ms"]["p50"], run["cpu_ms"]
        if run["threads"] == 1 and run["device"] == "cpu" and wall and cpu:
            share = 1 - cpu / wall
            if share > _WAITING:
                yield f"The machine was busy: {run['id']} waited for it {share:.0%} of the time."


def _assumed(result: Mapping[str, Any]) -> Iterator[str]:
    for each in result["feeds"]:
        if any(axis > 0 for axis in each["assumed"]):
            shape = "x".join(map(str, each["shape"]))
            yield (
                f"The model leaves the size of {each['name']} open; {shape} was assumed. "
                f"Give the real one: --shapes {each['name']}=..."
            )
