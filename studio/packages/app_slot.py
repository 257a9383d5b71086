"""Apps, as the core and other features see them; a feature brings what they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from studio.api import UsageError
from studio.documents.dataclass_json import JsonValue
from studio.feature_host import Slot
from studio.jobs import Job

if TYPE_CHECKING:
    from studio.runtime.apps.document import ReplaySettings
    from studio.runtime.apps.graph import AppGraph


class AppModel(Protocol):
    """Files of one model of an app; None where it has none."""

    @property
    def name(self) -> str: ...
    @property
    def model(self) -> Path: ...
    @property
    def preprocess(self) -> Path | None: ...
    @property
    def outputs(self) -> Path | None: ...
    @property
    def labels(self) -> Path | None: ...
    @property
    def dictionary(self) -> Path | None: ...


class AppFolder(Protocol):
    """An app in a folder."""

    @property
    def folder(self) -> Path: ...

    def graph(self, variables: Mapping[str, str]) -> AppGraph:
        """Check the connections and settings of all parts."""

    def models(self) -> Mapping[str, AppModel]:
        """Return the files of each model, by its name."""

    def limits(self) -> tuple[tuple[str, ...], str]:
        """Return the lines about limits of its README, or why there are none."""


class AppContent(Protocol):
    """An app that travels with a model in a bundle."""

    @property
    def files(self) -> AppFolder: ...
    @property
    def columns(self) -> tuple[str, ...]: ...
    @property
    def own_code(self) -> tuple[str, ...]: ...
    @property
    def requirements(self) -> Mapping[str, str]: ...
    @property
    def served_parts(self) -> AppModel | None: ...

    def write(self, folder: Path) -> Mapping[str, JsonValue]:
        """Write its files into a bundle's folder; return the keys of the manifest."""


class AppReplay(Protocol):
    """The test of an app: the known events, and those of the run."""

    @property
    def expected(self) -> tuple[Mapping[str, Any], ...]: ...
    @property
    def found(self) -> tuple[Mapping[str, Any], ...]: ...
    @property
    def kinds(self) -> tuple[str, ...]: ...
    @property
    def settings(self) -> ReplaySettings: ...
    @property
    def frames(self) -> int: ...
    @property
    def failed(self) -> int: ...


class Apps(Protocol):
    """What opens, packages and tests apps. Each method raises InvalidData in one sentence."""

    def is_app(self, path: Path) -> bool:
        """Return whether a path is the folder of an app, or its description."""

    def open(self, path: Path) -> AppFolder:
        """Read an app."""

    def content(self, path: Path, digest: str) -> AppContent:
        """Return what travels with the model of a digest."""

    def replay(self, path: Path, allow_code: bool, job: Job) -> AppReplay:
        """Run the recordings of an app's test."""


_APPS: Slot[Apps] = Slot("apps")


def is_app(path: Path) -> bool:
    """Return whether a path is an app that this installation can open."""
    return any(apps.is_app(path) for apps in _APPS.added())


def apps() -> Apps:
    """Return what opens apps.

    Raises:
        UsageError: when no feature does.
    """
    for added in _APPS.added():
        return added
    raise UsageError("This installation has no apps.")


def model_files(path: Path) -> Sequence[Path]:
    """Return the files of an app's models, the served one first."""
    return [each.model for each in apps().open(path).models().values()]
