"""What is measured: models times backends, with labels, as a bench's configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.api import UsageError
from studio.profiling.backends import BackendChoice
from studio.profiling.energy import BLOCK_SECONDS
from studio.registry import ModelRef

SAME_MODEL = (0.01, 0.25)
"""What a variant may differ from itself on another backend, relative to its largest output.

The first where the backend says that it computes in full precision, the second where it says
that it does not: bf16 was seen to cost .11 on random inputs. What computes something else is off
by its whole magnitude.
"""

PROFILED_INFERENCES = 20
"""Inferences from which the times of the operators are taken."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A variant on a backend.

    Attributes:
        label: Unique; what verdicts and charts call it.
        options: For the backend's runner.
        runtime: The backend with the options that tell it from others (``openvino:threads=2``).
        python: Interpreter of the backend's own environment; empty: the bench's.
        like: Label of the same model on the first backend; empty for those on it.
        memory_mb: Limit of its address space; 0: none of its own.
    """

    label: str
    model: ModelRef
    backend: str
    runner: Path
    options: Mapping[str, Any]
    runtime: str = ""
    python: str = ""
    like: str = ""
    memory_mb: int = 0

    @property
    def model_label(self) -> str:
        """The variant alone."""
        return f"{self.model.model_name}:{self.model.name}"


def candidates(models: Sequence[ModelRef], backends: Sequence[BackendChoice]) -> list[Candidate]:
    """Every variant on every backend; the first is the reference."""
    made: list[Candidate] = []
    for chosen in backends:
        for number, model in enumerate(models):
            label = f"{model.model_name}:{model.name}"
            if len(backends) > 1:
                label += f"@{chosen.text}"
            label = _unique(label, [each.label for each in made])
            made.append(
                Candidate(
                    label,
                    model,
                    chosen.backend.id,
                    chosen.backend.runner,
                    chosen.options,
                    chosen.text,
                    chosen.python,
                    made[number].label if chosen is not backends[0] else "",
                    chosen.memory_mb,
                )
            )
    return made


def configuration(
    chosen: Sequence[Candidate], arguments: Mapping[str, Any], npz: str = ""
) -> dict[str, Any]:
    """The bench's configuration, with paths of this computer.

    Args:
        arguments: The step's checked options.
        npz: File with the input arrays; random values when empty.

    Raises:
        UsageError: when a shape cannot be understood, or a mode lacks what it needs.
    """
    shapes, symbols = parse_shapes(arguments.get("shapes") or [])
    mode = arguments.get("mode") or "latency"
    if mode == "open-loop" and not arguments.get("limit"):
        raise UsageError(
            "Requests that come by themselves are measured against a limit of their latency.",
            hint="Give one in milliseconds: --p99-limit-ms 50",
        )
    tolerance = arguments.get("tolerance")
    return {
        "candidates": [
            {
                "id": each.label,
                "model": each.model.path,
                "runner": str(each.runner),
                "options": dict(each.options),
                "python": each.python,
                "tolerance": tolerance,
                "like": each.like,
                "like_tolerance": list(SAME_MODEL) if tolerance is None else [tolerance] * 2,
                "memory_mb": each.memory_mb,
            }
            for each in chosen
        ],
        "feeds": {"npz": npz, "shapes": shapes, "symbols": symbols},
        "rounds": arguments["rounds"],
        "seconds": arguments["seconds"],
        "mode": mode,
        "looks": arguments.get("looks") or 1,
        "streams": list(dict.fromkeys(arguments.get("streams") or [1])),
        "batches": list(dict.fromkeys(arguments.get("batch") or [1])),
        "rate": arguments.get("rate") or 0.0,
        "limit_ms": arguments.get("limit") or 0.0,
        "duration": 60 * (arguments.get("minutes") or 5.0),
        "twin": len(chosen) > 1 and mode in ("latency", "throughput"),
        "energy": BLOCK_SECONDS if arguments.get("energy") or arguments.get("meter") else 0.0,
        "meter": str(arguments.get("meter") or ""),
        "operators": PROFILED_INFERENCES if arguments.get("operators") else 0,
    }


def parse_shapes(texts: Sequence[str]) -> tuple[dict[str, list[int]], dict[str, int]]:
    """Read ``input=1x3x48x320`` (a shape) and ``batch=4`` (the size of a symbol).

    A name with a single size may be either; it is taken for both, and what the model does not
    have is not used.

    Raises:
        UsageError: when a text is neither.
    """
    shapes: dict[str, list[int]] = {}
    symbols: dict[str, int] = {}
    for text in texts:
        match = re.fullmatch(r"(.+?)=(\d+(?:[x×,]\d+)*)", text.strip())
        sizes = [int(size) for size in re.split("[x×,]", match.group(2))] if match else []
        if match is None or 0 in sizes:
            raise UsageError(
                f"{text!r} is not a shape.",
                hint="Write input=1x3x224x224, or batch=1 for a symbolic size.",
            )
        if len(sizes) == 1:
            symbols[match.group(1)] = sizes[0]
        else:
            shapes[match.group(1)] = sizes
    return shapes, symbols


def _unique(label: str, taken: Sequence[str]) -> str:
    """The same model given twice is an A/A test, not a mistake."""
    number = 2
    unique = label
    while unique in taken:
        unique = f"{label} ({number})"
        number += 1
    return unique
