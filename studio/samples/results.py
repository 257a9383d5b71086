"""The result of getting a sample."""

from __future__ import annotations

from studio.documents.dataclass_json import optional
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class SampleResult:
    """Sample in a folder.

    Attributes:
        model: The model's file.
        fonts: Those that its texts were rendered in.
    """

    name: str
    title: str
    model: str
    fonts: tuple[str, ...] | None = optional()
    pipeline: str = optional("")
    folder: str = optional("")
    files: tuple[str, ...] = optional(())


def lines(result: SampleResult) -> list[str]:
    """Say where the sample is."""
    return [f"{result.name} is in {result.folder}"]
