"""The tool in the environment of a backend: it scores with the runtime that it is given as a file.

It is loaded by its path and uses the standard library alone.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any


def run(request: dict[str, str], progress: Callable[[float, float, str], None]) -> Any:
    """Answer the questions of a file.

    Args:
        request: Paths of the ``application`` (the runtime as one file) and of the ``questions``.
    """
    sys.path.insert(0, request["application"])
    command = importlib.import_module("edgewright_runtime.generate.score.command")
    return command.score_file(request["questions"], progress)
