"""The features of this installation, and what each adds to the core, as names in text."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterator, Mapping
from dataclasses import field
from pathlib import Path
from types import MappingProxyType, ModuleType

from studio.api import Unavailable
from studio.lazy_dataclass import dataclass

_PACKAGE = "studio.features"
_FOLDER = Path(__file__).with_name("features")
AGAIN = "Install Edgewright again, or delete the feature's folder."
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Feature:
    """A folder of ``studio/features``, declared as ``FEATURE`` in its ``feature.py``.

    Attributes:
        commands: What each command does; its module is of that name in the folder ``commands``.
        files: Other files and folders of the repository that belong to it. ``make without``
            deletes them, its folder and ``tests/features/NAME``.
    """

    commands: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    files: tuple[str, ...] = ()


@functools.cache
def features() -> Mapping[str, Feature]:
    """Return the features that are installed, by the names of their folders."""
    names = sorted(path.parent.name for path in _FOLDER.glob("*/feature.py"))
    return {name: _module(name, "feature").FEATURE for name in names}


def commands() -> dict[str, str]:
    """Return what each command of a feature does."""
    return {
        name: text for feature in features().values() for name, text in feature.commands.items()
    }


def command_module(command: str) -> ModuleType | None:
    """Return the module of a feature's command; None when no feature has it.

    Raises:
        Unavailable: when a file of the feature is missing.
    """
    for name, feature in features().items():
        if command in feature.commands:
            return _module(name, f"commands.{command.replace('-', '_')}")
    return None


def incomplete() -> Iterator[str]:
    """Yield a sentence for each folder that holds code and declares no feature."""
    for folder in sorted(_FOLDER.glob("*/")):
        if any(folder.rglob("*.py")) and not (folder / "feature.py").is_file():
            yield _missing(folder.name, "feature.py")


def _module(feature: str, name: str) -> ModuleType:
    package = f"{_PACKAGE}.{feature}"
    try:
        return importlib.import_module(f"{package}.{name}")
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith(package):
            raise
        path = (error.name or "").removeprefix(f"{package}.").replace(".", "/")
        raise Unavailable(_missing(feature, f"{path}.py"), hint=AGAIN) from error


def _missing(feature: str, path: str) -> str:
    return f"The feature {feature} is incomplete: {_FOLDER / feature / path} is missing."
