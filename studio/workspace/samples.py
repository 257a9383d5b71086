"""The samples that come with the studio, for the welcome page and the command line."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass

from studio.settings import resource


@dataclass(frozen=True, slots=True)
class SampleInfo:
    """A sample to begin with.

    Attributes:
        download: Whether getting it needs the network.
    """

    name: str
    title: str
    summary: str
    download: bool


def samples() -> tuple[SampleInfo, ...]:
    """The catalogue of samples."""
    table = tomllib.loads(resource("samples", "catalogue.toml").read_text(encoding="utf-8"))
    return tuple(
        SampleInfo(
            str(entry["name"]),
            str(entry["title"]),
            str(entry.get("summary", "")),
            bool(entry.get("download", False)),
        )
        for entry in table["samples"]
    )
