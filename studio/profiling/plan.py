"""Plan of a profile: models times backends, with labels, as a bench's configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from studio.api import UsageError
from studio.documents.dataclass_json import JsonValue
from studio.lazy_dataclass import dataclass
from studio.profiling.backends import BackendChoice
from studio.profiling.step import ProfileOptions
from studio.registry import ModelRef
from studio.runtime.bench.config import Candidate as BenchCandidate
from studio.runtime.bench.config import Config, FeedPlan

SAME_MODEL = (0.01, 0.25)
"""Largest difference of a variant on another backend, relative to its largest output.

The first is for backends in full precision, the second for others: bf16 was measured to cost .11
on random inputs. A backend that computes something else is off by its whole
magnitude.
"""

BLOCK_SECONDS = 2.0
"""Length of a block of work, and of rest: an INA3221 has some seven new values in it."""

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
    options: Mapping[str, JsonValue]
    runtime: str = ""
    python: str = ""
    like: str = ""
    memory_mb: int = 0

    @property
    def model_label(self) -> str:
        """The variant alone."""
        return f"{self.model.model_name}:{self.model.name}"


def candidates(models: Sequence[ModelRef], backends: Sequence[BackendChoice]) -> list[Candidate]:
    """Return every variant on every backend; the first is the reference."""
    made: list[Candidate] = []
    for chosen in backends:
        for number, model in enumerate(models):
            label = f"{model.model_name}:{model.name}"
            if len(backends) > 1:
                label += f"@{chosen.text}"
            label = unique_label(label, [each.label for each in made])
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


def configuration(chosen: Sequence[Candidate], options: ProfileOptions, npz: str = "") -> Config:
    """Return the bench's configuration, with paths of this computer.

    Args:
        npz: File with the input arrays; random values when empty.

    Raises:
        UsageError: when a shape cannot be understood, or a mode lacks what it needs.
    """
    shapes, symbols = parse_shapes(options.shapes or ())
    if options.mode == "open-loop" and not options.p99_limit_ms:
        raise UsageError(
            "Open-loop load needs a latency limit.",
            hint="Pass it in milliseconds: --p99-limit-ms 50",
        )
    return Config(
        candidates=tuple(_bench_candidate(each, options.tolerance) for each in chosen),
        feeds=FeedPlan(npz, shapes=shapes, symbols=symbols),
        rounds=options.rounds,
        seconds=options.seconds,
        mode=options.mode,
        looks=options.interim_checks,
        streams=list(dict.fromkeys(options.streams)),
        batches=list(dict.fromkeys(options.batch)),
        rate=options.rate,
        limit_ms=options.p99_limit_ms,
        duration=60 * options.minutes,
        twin=len(chosen) > 1 and options.mode in ("latency", "throughput"),
        energy=BLOCK_SECONDS if options.energy or options.meter else 0.0,
        meter=str(options.meter or ""),
        operators=PROFILED_INFERENCES if options.operators else 0,
    )


def _bench_candidate(candidate: Candidate, tolerance: float | None) -> BenchCandidate:
    return BenchCandidate(
        candidate.label,
        candidate.model.path,
        str(candidate.runner),
        dict(candidate.options),
        candidate.python,
        tolerance,
        candidate.like,
        SAME_MODEL if tolerance is None else (tolerance, tolerance),
        candidate.memory_mb,
    )


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


def unique_label(label: str, taken: Sequence[str]) -> str:
    """Return a unique label, because the same model twice is a valid A/A test."""
    number = 2
    unique = label
    while unique in taken:
        unique = f"{label} ({number})"
        number += 1
    return unique
