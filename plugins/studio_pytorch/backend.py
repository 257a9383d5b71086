"""PyTorch as a backend."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from studio.api import Kind, Option, ToolchainBackend


class PyTorch(ToolchainBackend):
    """The backend: an independent reference, since it computes each operator as it is written."""

    id = "pytorch"
    title = "PyTorch"
    distribution = "torch"
    runner = Path(__file__).with_name("runner.py")
    options: Sequence[Option] = (
        Option(
            "threads",
            Kind.INTEGER,
            default=0,
            minimum=0,
            maximum=1024,
            help="Threads of an operator; 0 leaves it to PyTorch.",
        ),
    )
