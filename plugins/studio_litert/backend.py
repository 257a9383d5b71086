"""LiteRT as a backend."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from studio.api import Kind, Option, ToolchainBackend


class LiteRt(ToolchainBackend):
    """The backend. It runs TFLite files as they are, with XNNPACK where that has the kernels."""

    id = "litert"
    title = "LiteRT"
    distribution = "ai-edge-litert"
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
