"""Kinds of models: what each stage does with one, in a table to which features add."""

from __future__ import annotations

import functools
import importlib
from pathlib import Path
from typing import Protocol, TypeVar

from studio.api import Model, UsageError
from studio.feature_host import Slot
from studio.jobs.object_names import load
from studio.lazy_dataclass import dataclass
from studio.registry import ModelRef

T = TypeVar("T")

_CORE = ("studio.models.language.kind:LANGUAGE",)
"""Kinds of the core, until features bring them."""

_ADDED: Slot[ModelKind] = Slot("kinds")


class ModelFiles(Protocol):
    """A module about the files of a kind of models."""

    def opens(self, folder: Path, /) -> bool: ...
    def entry_file(self, folder: Path, /) -> Path: ...
    def companions(self, path: Path, /) -> tuple[Path, ...]: ...
    def with_facts(self, model: Model, path: Path, /) -> Model: ...


@dataclass(frozen=True, slots=True)
class ModelKind:
    """A kind of models, as names in text.

    Attributes:
        title: The models in messages.
        formats: Formats whose files are all of this kind.
        folder_format: Id of its folders in ``resources/source_formats.toml``.
        module: The module about its files.
        evaluate, profile, package: The function of the stage; without one it refuses such models.
    """

    title: str = "tensor models"
    formats: tuple[str, ...] = ()
    folder_format: str = ""
    module: str = ""
    evaluate: str = ""
    profile: str = ""
    package: str = ""

    @property
    def files(self) -> ModelFiles:
        """The module about its files."""
        files: ModelFiles = importlib.import_module(self.module)
        return files

    def stage(self, name: str, own: T) -> T:
        """Return the function of a stage (a verb), of the type of the core's own one.

        Raises:
            UsageError: when the kind has no part in the stage.
        """
        if self is TENSORS:
            return own
        if not (text := getattr(self, name)):
            raise UsageError(f"Edgewright cannot {name} {self.title}.")
        function: T = load(text)
        return function


TENSORS = ModelKind()


@functools.cache
def kinds() -> tuple[ModelKind, ...]:
    """Return the kinds besides tensor models: those of the core, then those of features."""
    return (*(load(text) for text in _CORE), *_ADDED.added())


def kind_of(model: ModelRef) -> ModelKind:
    """Return the kind of a stored model."""
    by_format = (kind for kind in kinds() if model.format in kind.formats)
    return next(by_format, folder_kind(Path(model.path).parent))


def folder_kind(folder: Path) -> ModelKind:
    """Return the kind whose models are such folders; that of tensor models without one."""
    return next((kind for kind in kinds() if kind.files.opens(folder)), TENSORS)


def entry_file(path: Path) -> Path:
    """Return the file to open of a model that is a folder; any other path as it is."""
    kind = folder_kind(path) if path.is_dir() else TENSORS
    return path if kind is TENSORS else kind.files.entry_file(path)


def companions(path: Path) -> tuple[Path, ...]:
    """Return the files next to a model's file that running it needs."""
    return tuple(file for kind in kinds() for file in kind.files.companions(path))


def with_facts(model: Model, path: Path) -> Model:
    """Return an opened model with what the files next to it say about it."""
    for kind in kinds():
        model = kind.files.with_facts(model, path)
    return model
