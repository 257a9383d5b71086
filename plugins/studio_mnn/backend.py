"""MNN as a backend."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from studio.api import Kind, Option, ToolchainBackend


class Mnn(ToolchainBackend):
    """The backend. It computes in full precision: what it does with less, it does not tell."""

    id = "mnn"
    title = "MNN"
    distribution = "mnn"
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
    )
