"""ncnn as a backend."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from studio.api import Kind, Option, ToolchainBackend


class Ncnn(ToolchainBackend):
    """The backend. The converter folds constants for the sizes that are measured."""

    id = "ncnn"
    title = "ncnn"
    distribution = "ncnn"
    runner = Path(__file__).with_name("runner.py")
    options: Sequence[Option] = (
        Option(
            "threads",
            Kind.INTEGER,
            default=0,
            minimum=0,
            maximum=1024,
            help="Threads of an inference; 0 takes one for each core.",
        ),
        Option(
            "precision",
            Kind.CHOICE,
            default="f32",
            choices=("f32", "bf16"),
            help="What is stored between layers.",
        ),
    )
