"""What the server must show beside onnxruntime in a plain loop, and whether it does."""

from __future__ import annotations

from typing import Any

EFFICIENCY = {"perceptron": {1: 0.45, 8: 1.0}, "network": {1: 0.85, 8: 0.95}}
"""By model and number of clients: CPU of a plain inference over that of a request, at least."""
P99_RATIO = 1.5
"""The p99 of clients over that of a loop in one process with the same batching, at most."""
MEMORY_RATIO = 1.2


def verdicts(told: dict[str, Any]) -> dict[str, str]:
    """Of each goal of a model: ``met`` when the whole interval of its figure is on the right side.

    A figure that the bare server, which only moves bytes, does not reach either is out of reach:
    what is missing then is the system's price of having clients, not ours.
    """
    found = {}
    for clients, goal in EFFICIENCY[told["model"]].items():
        own = told[f"efficiency_{clients}"]["low"] >= goal
        bare = told.get(f"bare_efficiency_{clients}", {"median": goal})["median"] >= goal
        found[f"efficiency_{clients} >= {goal:g}"] = _verdict(own, bare)
    own = told["p99_ratio"]["high"] <= P99_RATIO
    bare = told["bare_loop_p99_ratio"]["median"] <= P99_RATIO
    found[f"p99_ratio <= {P99_RATIO:g}"] = _verdict(own, bare)
    return found


def _verdict(own: bool, bare: bool) -> str:
    return "met" if own else "missed" if bare else "out of reach"
