"""The samples that come with the studio, for the welcome page and the command line."""

from __future__ import annotations

from dataclasses import dataclass

from studio.samples.catalogue import samples as catalogue


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
    """Return the catalogue of samples."""
    return tuple(
        SampleInfo(entry.name, entry.title, entry.summary, entry.wheel is not None)
        for entry in catalogue().values()
    )
