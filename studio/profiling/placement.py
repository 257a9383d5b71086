"""Placement of a model: the requested execution provider, and those that did the work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from studio.profiling.operator_times import OperatorTimes, PlacedKernel, Placement, RunPlacement
from studio.profiling.plan import Candidate
from studio.profiling.results import ProfileRun

CPU = "cpu"
_SUFFIX = "ExecutionProvider"
_MOST_NAMED = 5


def short(provider: str) -> str:
    """Return the short name of a provider: ``openvino`` for ``OpenVINOExecutionProvider``."""
    return provider.replace(_SUFFIX, "").lower()


def requested_provider(candidate: Candidate) -> str:
    """Return the provider or device in a candidate's options, or else the processor."""
    options = candidate.options
    return short(str(options.get("provider") or options.get("device") or CPU)) or CPU


def accelerated(chosen: Sequence[Candidate]) -> bool:
    """Return whether a device other than the processor is requested, which needs verification."""
    return any(requested_provider(each) != CPU for each in chosen)


def placement(
    chosen: Sequence[Candidate], runs: Sequence[ProfileRun], operators: Sequence[OperatorTimes]
) -> Placement:
    """Compare each candidate's requested provider with those that did the work."""
    times = {each.run: each for each in operators}
    measured = {run.id: run for run in runs if run.state == "measured"}
    rows = tuple(
        _row(each, measured[each.label], times.get(each.label))
        for each in chosen
        if each.label in measured
    )
    known = [row.fallback for row in rows if row.fallback is not None]
    return Placement(max(known) if known and len(known) == len(rows) else None, rows)


def warnings(placed: Placement) -> list[str]:
    """Return a sentence for each run on another device than requested, or on an unknown one."""
    return [row.text for row in placed.runs if row.fallback is None or row.fallback > 0]


def _row(candidate: Candidate, run: ProfileRun, times: OperatorTimes | None) -> RunPlacement:
    wanted = requested_provider(candidate)
    shares = times.providers if times else {}
    if times is None and wanted == CPU and candidate.backend == "onnxruntime":
        shares = {CPU: 1.0}  # there is no other place for it
    if not shares:
        return _described(candidate, run, wanted)
    elsewhere = sum(share for place, share in shares.items() if place != wanted)
    fallback = 0.0 if wanted == CPU else elsewhere
    kernels = _elsewhere(times, wanted) if fallback and times else ()
    listed = [short(each) for each in run.providers]
    text = _text(candidate.label, wanted, shares, fallback, kernels, listed)
    return RunPlacement(candidate.label, wanted, shares, fallback, kernels, bool(fallback), text)


def _described(candidate: Candidate, run: ProfileRun, wanted: str) -> RunPlacement:
    """Return the runtime's own name of its device, without times of kernels."""
    device = short(run.device or "")
    fallback: float | None = None
    text = f"{candidate.label}: which part of it ran on {wanted} is not known."
    if wanted == CPU and device in ("", CPU):
        fallback, text = 0.0, f"{candidate.label}: all on cpu."
    elif device and device != wanted and wanted != CPU and device == CPU:
        fallback = 1.0
        text = f"{candidate.label}: {wanted} was asked for, the runtime used {device}."
    elif device == wanted:
        fallback, text = 0.0, f"{candidate.label}: on {wanted}, as its runtime says."
    return RunPlacement(candidate.label, wanted, {}, fallback, (), bool(fallback), text)


def _elsewhere(times: OperatorTimes, wanted: str) -> tuple[PlacedKernel, ...]:
    """Return the nodes on another than the requested device, the slowest first."""
    return tuple(
        PlacedKernel(node.name, node.operator, " + ".join(node.providers), node.us)
        for node in times.nodes
        if any(place != wanted for place in node.providers)
    )


def _text(
    label: str,
    wanted: str,
    shares: Mapping[str, float],
    fallback: float,
    kernels: Sequence[PlacedKernel],
    listed: Sequence[str],
) -> str:
    if not fallback:
        return f"{label}: all on {wanted}."
    parts = [f"{100 * share:.0f} % on {place}" for place, share in shares.items()]
    if wanted not in listed and listed:
        why = f"the runtime has no {wanted} here and went on without it"
    else:
        operators = list(dict.fromkeys(each.operator for each in kernels))
        more = ", ..." if len(operators) > _MOST_NAMED else ""
        why = "not taken by it: " + ", ".join(operators[:_MOST_NAMED]) + more
    return f"{label}: {wanted} was asked for, but {', '.join(sorted(parts))} of the time ({why})."
