"""Services of the desk for the parts of an app: its models and files."""

from __future__ import annotations

from pathlib import Path

from studio.api import InvalidData, StudioError
from studio.features.apps import OUTPUTS
from studio.features.apps.files import AppFiles
from studio.runtime.apps.settings import AppError
from studio.runtime.serve.apps.bundle import output_of
from studio.runtime.serve.apps.predictors import ServedPredictor
from studio.runtime.serve.engine.served_model import load
from studio.runtime.shared.errors import LoadError


class DeskContext:
    """Loads each model of an app once, when a step first wants it."""

    def __init__(self, files: AppFiles, threads: int = 0, data: Path = Path()) -> None:
        """Load nothing before a step wants it.

        Args:
            data: Folder for files that the app writes.
        """
        self._files = files
        self._data = data
        self._models = files.models()
        self._threads = threads
        self._loaded: dict[str, ServedPredictor] = {}

    def predictor(self, name: str) -> ServedPredictor:
        """Return a model of the app.

        Raises:
            AppError: when it has no such model, or one that cannot be loaded.
        """
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def file(self, name: str) -> str:
        """Return the path of a file, seen from the folder of the app.

        Raises:
            AppError: when it is not there.
        """
        path = Path(name)
        path = path if path.is_absolute() else self._files.folder / path
        if not path.exists():
            raise AppError(f"The file {name} does not exist.")
        return str(path)

    def output(self, name: str) -> str:
        """Return the path of a file to write, which the run moves to ``data`` in the app's folder.

        A path from the root is taken below that folder, too: a run on the desk writes nowhere else.

        Raises:
            AppError: when it leads out of the folder.
        """
        path = Path(output_of(self._data / OUTPUTS, name.lstrip("/")))
        path.parent.mkdir(parents=True, exist_ok=True)
        return str(path)

    def _load(self, name: str) -> ServedPredictor:
        parts = self._models.get(name)
        if parts is None:
            known = ", ".join(self._models) or "none"
            raise AppError(f"The app has no model {name!r}; its models: {known}.")
        try:
            return ServedPredictor(load(parts.source(), self._threads, 1))
        except (LoadError, StudioError, InvalidData) as error:
            raise AppError(f"models.{name}: {error}") from None
