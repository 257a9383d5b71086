"""Options of a run, as onnxruntime takes them."""

from __future__ import annotations

from typing import Protocol


class RunOptions(Protocol):
    """Ends its run when ``terminate`` is set."""

    terminate: bool
