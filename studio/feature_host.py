"""The features of this installation, and what each adds to the core, as names in text."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterator, Mapping
from dataclasses import field
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Generic, TypeVar

from studio.api import Unavailable
from studio.lazy_dataclass import dataclass

_PACKAGE = "studio.features"
_FOLDER = Path(__file__).with_name("features")
_FILE = "*/feature.py"
_AGAIN = "Install Edgewright again, or delete the feature's folder."
_NOTHING: Mapping[str, str] = MappingProxyType({})
_NO_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType({})

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Feature:
    """A folder of ``studio/features``, declared as ``FEATURE`` in its ``feature.py``.

    Attributes:
        commands: What each command does; its module is of that name in the folder ``commands``.
        adds: What it adds to each slot of the core, as ``module:name`` below its folder, or texts.
        files: Other files and folders of the repository that belong to it. ``make without``
            deletes them, its folder and ``tests/features/NAME``.
    """

    commands: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    adds: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NO_NAMES)
    files: tuple[str, ...] = ()


class Slot(Generic[T]):
    """A place of the core to which features add objects of one type, declared where it is used.

    Args:
        name: Its name in ``Feature.adds``.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def added(self) -> tuple[T, ...]:
        """Import and return what the features add, in the order of their names.

        Raises:
            Unavailable: when a feature is damaged.
        """
        return tuple(self._object(feature, text) for feature, text in self._texts())

    def modules(self) -> tuple[str, ...]:
        """Return the whole names of the modules that ``added`` imports."""
        texts = ((feature, text.partition(":")[0]) for feature, text in self._texts())
        return tuple(f"{_PACKAGE}.{feature}.{module}" for feature, module in texts)

    def _texts(self) -> Iterator[tuple[str, str]]:
        for feature, declared in features().items():
            for text in declared.adds.get(self._name, ()):
                yield feature, text

    def _object(self, feature: str, text: str) -> T:
        module, _, name = text.partition(":")
        try:
            added: T = getattr(_module(feature, module), name)
        except AttributeError:
            raise _damaged(feature, f"{module} has no {name}") from None
        return added


@functools.cache
def features() -> Mapping[str, Feature]:
    """Return the features that are installed, by the names of their folders.

    Raises:
        Unavailable: when a feature is damaged.
    """
    return {path.parent.name: _declared(path.parent) for path in sorted(_FOLDER.glob(_FILE))}


def added_texts(slot: str) -> tuple[str, ...]:
    """Return what the features add to a slot, as text; damaged ones add nothing."""
    folders = (path.parent for path in sorted(_FOLDER.glob(_FILE)))
    return tuple(text for each in folders for text in _sound(each).adds.get(slot, ()))


def commands() -> dict[str, str]:
    """Return what each command of a feature does."""
    return {
        name: text for feature in features().values() for name, text in feature.commands.items()
    }


def command_module(command: str) -> ModuleType | None:
    """Return the module of a feature's command; None when no feature has it.

    Raises:
        Unavailable: when a feature is damaged.
    """
    for name, feature in features().items():
        if command in feature.commands:
            return _module(name, f"commands.{command.replace('-', '_')}")
    return None


def damages() -> Iterator[Unavailable]:
    """Yield an error for each folder that holds code and declares no feature."""
    for folder in sorted(
        {file.relative_to(_FOLDER).parts[0] for file in _FOLDER.glob("*/**/*.py")}
    ):
        try:
            _declared(_FOLDER / folder)
        except Unavailable as error:
            yield error


def missing_file(error: Exception) -> Unavailable | None:
    """Return the error of a feature that lacks the file of a failed import; None for others."""
    name = (error.name or "") if isinstance(error, ModuleNotFoundError) else ""
    feature, dot, module = name.removeprefix(f"{_PACKAGE}.").partition(".")
    if not (dot and name.startswith(f"{_PACKAGE}.")):
        return None
    return _damaged(feature, f"{_FOLDER / feature / module.replace('.', '/')}.py is missing")


def _sound(folder: Path) -> Feature:
    try:
        return _declared(folder)
    except Unavailable:  # ``damages`` names it, and so does what needs it
        return Feature()


def _declared(folder: Path) -> Feature:
    declared = getattr(_module(folder.name, "feature"), "FEATURE", None)
    if not isinstance(declared, Feature):
        raise _damaged(folder.name, f"{folder / 'feature.py'} declares no FEATURE")
    return declared


def _module(feature: str, name: str) -> ModuleType:
    try:
        return importlib.import_module(f"{_PACKAGE}.{feature}.{name}")
    except Exception as error:  # whatever the code of a damaged file raises
        raise missing_file(error) or _damaged(feature, f"{name}: {error}") from error


def _damaged(feature: str, reason: str) -> Unavailable:
    return Unavailable(f"The feature {feature} is damaged: {reason}.", hint=_AGAIN)
