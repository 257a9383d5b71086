"""The samples that come with the studio, for the welcome page and the command line."""

from __future__ import annotations

from pathlib import Path

from studio.lazy_dataclass import dataclass
from studio.samples.catalogue import MARK, SampleEntry
from studio.samples.catalogue import samples as catalogue


@dataclass(frozen=True, slots=True)
class SampleInfo:
    """A sample to begin with.

    Attributes:
        download: Whether getting it needs the network.
        shows: What one can see with it.
        picture: Name of its icon.
        size: Bytes to download; 0 for one that ships with the studio.
        ready: Its model, if it was downloaded before; else None.
    """

    name: str
    title: str
    summary: str
    download: bool
    shows: str = ""
    picture: str = "sample"
    size: int = 0
    ready: Path | None = None


def samples(folder: Path) -> tuple[SampleInfo, ...]:
    """Return the catalogue of samples.

    Args:
        folder: Where the downloaded ones are.
    """
    return tuple(_info(entry, folder / entry.name) for entry in catalogue().values())


def _info(entry: SampleEntry, folder: Path) -> SampleInfo:
    model = folder / entry.model
    is_ready = entry.download > 0 and (folder / MARK).exists() and model.exists()
    return SampleInfo(
        entry.name,
        entry.title,
        entry.summary,
        entry.download > 0,
        entry.shows,
        entry.picture,
        entry.download,
        model if is_ready else None,
    )
