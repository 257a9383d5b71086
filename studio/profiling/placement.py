"""Where a model ran: the execution provider that was asked for, and those that did the work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from studio.profiling.plan import Candidate

CPU = "cpu"
_SUFFIX = "ExecutionProvider"
_MOST_NAMED = 5

Json = Mapping[str, Any]


def short(provider: str) -> str:
    """``OpenVINOExecutionProvider`` as people say it: ``openvino``."""
    return provider.replace(_SUFFIX, "").lower()


def asked(candidate: Candidate) -> str:
    """The provider or device that a candidate's options name; the processor otherwise."""
    options = candidate.options
    return short(str(options.get("provider") or options.get("device") or CPU)) or CPU


def accelerated(chosen: Sequence[Candidate]) -> bool:
    """Whether anything but the processor is asked for, so that the truth has to be measured."""
    return any(asked(each) != CPU for each in chosen)


def placement(
    chosen: Sequence[Candidate], runs: Sequence[Json], operators: Sequence[Json]
) -> dict[str, Any]:
    """Its part of the result.

    Returns:
        ``fallback``: the largest share of a run's time that was not spent where it was asked for
        (0 for what asks for the processor); None when that of a run is not known. A pipeline's gate
        can limit it: ``${profile.placement.fallback}``. ``runs[]``: of each candidate ``id, asked,
        providers{}`` (shares of time), ``fallback, kernels[]`` (the largest that ran elsewhere:
        ``name, operator, provider, us``), ``silent`` (the runtime said nothing of it) and ``text``.
    """
    times = {str(each["run"]): each for each in operators}
    measured = [run for run in runs if run["state"] == "measured"]
    labels = {run["id"]: run for run in measured}
    rows = [
        _row(each, labels[each.label], times.get(each.label))
        for each in chosen
        if each.label in labels
    ]
    shares = [row["fallback"] for row in rows]
    known = [share for share in shares if share is not None]
    return {
        "fallback": max(known) if len(known) == len(shares) and known else None,
        "runs": rows,
    }


def warnings(found: Json) -> list[str]:
    """A sentence for each run that was not where it was asked to be, or of which nobody knows."""
    return [row["text"] for row in found["runs"] if row["fallback"] is None or row["fallback"] > 0]


def _row(candidate: Candidate, run: Json, times: Json | None) -> dict[str, Any]:
    wanted = asked(candidate)
    shares = dict(times["providers"]) if times else {}
    if times is None and wanted == CPU and candidate.backend == "onnxruntime":
        shares = {CPU: 1.0}  # there is no other place for it
    row: dict[str, Any] = {"id": candidate.label, "asked": wanted, "providers": shares}
    if not shares:
        return row | _told(candidate, run, wanted)
    elsewhere = sum(share for place, share in shares.items() if place != wanted)
    fallback = 0.0 if wanted == CPU else elsewhere
    kernels = _elsewhere(times, wanted) if fallback else []
    listed = [short(str(each)) for each in run.get("providers") or ()]
    return row | {
        "fallback": fallback,
        "kernels": kernels,
        "silent": bool(fallback),
        "text": _text(candidate.label, wanted, shares, fallback, kernels, listed),
    }


def _told(candidate: Candidate, run: Json, wanted: str) -> dict[str, Any]:
    """Without times of kernels: what the runtime itself calls its device."""
    device = short(str(run.get("device") or ""))
    fallback: float | None = None
    text = f"{candidate.label}: which part of it ran on {wanted} is not known."
    if wanted == CPU and device in ("", CPU):
        fallback, text = 0.0, f"{candidate.label}: all on cpu."
    elif device and device != wanted and wanted != CPU and device == CPU:
        fallback = 1.0
        text = f"{candidate.label}: {wanted} was asked for, the runtime used {device}."
    elif device == wanted:
        fallback, text = 0.0, f"{candidate.label}: on {wanted}, as its runtime says."
    return {"fallback": fallback, "kernels": [], "silent": bool(fallback), "text": text}


def _elsewhere(times: Json | None, wanted: str) -> list[dict[str, Any]]:
    """The nodes that did not run where they should have, the slowest first."""
    nodes = [
        {
            "name": node["name"],
            "operator": node["operator"],
            "provider": " + ".join(node["providers"]),
            "us": node["us"],
        }
        for node in (times or {}).get("nodes", ())
        if any(place != wanted for place in node["providers"])
    ]
    return nodes


def _text(
    label: str,
    wanted: str,
    shares: Mapping[str, float],
    fallback: float,
    kernels: Sequence[Json],
    listed: Sequence[str],
) -> str:
    if not fallback:
        return f"{label}: all on {wanted}."
    parts = [f"{100 * share:.0f} % on {place}" for place, share in shares.items()]
    if wanted not in listed and listed:
        why = f"the runtime has no {wanted} here and went on without it"
    else:
        operators = list(dict.fromkeys(each["operator"] for each in kernels))
        more = ", ..." if len(operators) > _MOST_NAMED else ""
        why = "not taken by it: " + ", ".join(operators[:_MOST_NAMED]) + more
    return f"{label}: {wanted} was asked for, but {', '.join(sorted(parts))} of the time ({why})."
