"""The preprocessing of the project that a job works for, for pictures without one of their own."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar


class ProjectPreprocess:
    """The ``preprocess.toml`` of the project, set once in the process of a job.

    A project's file may lie anywhere: next to the registry, where it came out of a model of
    another framework, or where ``studio project set`` found it.
    """

    path: ClassVar[Path | None] = None
