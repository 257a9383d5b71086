"""An app at work in a server, with the models and files of its bundle."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Dict, Optional

from ...apps.engine import AppEngine
from ...apps.graph import graph_of
from ...apps.settings import AppError
from ...apps.store import MemoryStore
from ...shared.errors import LoadError
from ..engine.served_model import ServedModel, load
from ..engine.source import ModelSource
from ..release_root import run_folder_of
from .bundle import AppBundle, file_of, variables_of
from .predictors import ServedPredictor


class BundleContext:
    """Services of a bundle for the parts of its app."""

    def __init__(self, bundle: AppBundle, served: Optional[ServedModel], threads: int = 0) -> None:
        """Load nothing before a step wants it.

        Args:
            served: The model that the bundle serves, which the app shares; None where it does not.
        """
        self._bundle = bundle
        self._served = served
        self._threads = threads
        self._loaded: Dict[str, ServedPredictor] = {}

    def predictor(self, name: str) -> ServedPredictor:
        """Return a model of the app.

        Raises:
            AppError: when it has no such model, or one that cannot be loaded.
        """
        if name not in self._loaded:
            if name not in self._bundle.models:
                raise AppError("The app has no model {!r}.".format(name))
            source = self._bundle.models[name]
            self._loaded[name] = ServedPredictor(self._model(name, source))
        return self._loaded[name]

    def _model(self, name: str, source: Optional[ModelSource]) -> ServedModel:
        if source is None:
            assert self._served is not None
            return self._served
        try:
            return load(source, self._threads, 1)
        except LoadError as error:
            raise AppError("models.{}: {}".format(name, error)) from None

    def file(self, name: str) -> str:
        """Return the path of a file of the app, or of the board.

        Raises:
            AppError: when it is not there.
        """
        return file_of(self._bundle.folder, name)


class RunningApp:
    """One app at work.

    Attributes:
        engine: Its engine.
        store: Keeper of its events.
        bundle: Where it came from.
    """

    def __init__(self, bundle: AppBundle, served: ServedModel, root: Optional[Path]) -> None:
        """Make all parts.

        Raises:
            LoadError: in one sentence, when it cannot run.
        """
        self.bundle = bundle
        self.context = BundleContext(bundle, served)
        try:
            self.graph = graph_of(bundle.document, variables_of(root))
            self.store = MemoryStore(bundle.document.name)
            self.engine = AppEngine(self.graph, self.context, self.store)
        except AppError as error:
            raise LoadError("The app cannot run: {}".format(error)) from None

    def start(self) -> None:
        """Begin to read sources."""
        self.engine.start()

    def stop(self) -> None:
        """End; what was found is stored."""
        self.engine.stop()


def bundle_folder(model: ServedModel) -> Optional[Path]:
    """Return the folder of a model's bundle; None for a bare file."""
    folder = model.source.path.parent
    return folder if (folder / "manifest.json").is_file() else None


def is_app(folder: Path) -> bool:
    """Return whether a bundle has an app, without reading much of it."""
    return (folder / "app" / "app.toml").is_file()


def root_of(folder: Path) -> Optional[Path]:
    """Return the root of the releases of which a bundle is one; None for another folder."""
    return folder.parent.parent if folder.parent.name == "releases" else None


def data_folder(folder: Path) -> Path:
    """Return where the app of a bundle keeps what it must not lose."""
    run = run_folder_of(folder / "manifest.json")
    given = os.environ.get("EDGEWRIGHT_APP_DATA", "")
    if run is not None:
        return run / "app"
    return Path(given or os.path.join(tempfile.gettempdir(), "edgewright-app-" + folder.name))
