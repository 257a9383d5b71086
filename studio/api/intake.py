"""What is found when a file is looked at before it is trusted."""

from __future__ import annotations

import enum

from studio.lazy_dataclass import dataclass


class Level(enum.Enum):
    """How serious a finding is. ERROR refuses the model."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation about a file: a stable code, and a sentence for the user."""

    level: Level
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes beyond which a model is refused, so that no file can exhaust the machine.

    Attributes:
        file_bytes: Largest model file read into memory (external tensors are not).
        nodes: Most nodes, sub-graphs and functions included.
        depth: Deepest nesting of sub-graphs.
    """

    file_bytes: int = 2**31 - 1
    nodes: int = 2_000_000
    depth: int = 32
