"""An app at work in a server, with the models and files of its bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, NamedTuple, Optional, Tuple

from ...apps.engine import AppEngine
from ...apps.graph import graph_of
from ...apps.settings import AppError
from ...apps.sinks.delivery import SinkWorkers
from ...apps.sinks.outbox import Outbox
from ...shared.errors import LoadError
from ..engine.served_model import ServedModel, load
from ..engine.source import ModelSource
from ..http.message import Response
from .bundle import AppBundle, file_of, output_of, variables_of
from .predictors import ServedPredictor
from .stream import streams_of


class BundleContext:
    """Services of a bundle for the parts of its app."""

    def __init__(self, bundle: AppBundle, served: Optional[ServedModel], data: Path) -> None:
        """Load nothing before a step wants it.

        Args:
            served: The model that the bundle serves, which the app shares; None where it does not.
            data: Folder for what the app keeps.
        """
        self._bundle = bundle
        self._served = served
        self._data = data
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
            return load(source, 0, 1)
        except LoadError as error:
            raise AppError("models.{}: {}".format(name, error)) from None

    def file(self, name: str) -> str:
        """Return the path of a file of the app, or of the board.

        Raises:
            AppError: when it is not there.
        """
        return file_of(self._bundle.folder, name)

    def output(self, name: str) -> str:
        """Return the path of a file to write: in the folder of the app's data, or of the board."""
        return output_of(self._data, name)


class RecentPreview(NamedTuple):
    """A picture that was drawn, for all clients until the next one is due."""

    drawn_at: float
    response: Response


class RunningApp:
    """One app at work.

    Attributes:
        engine: Its engine.
        outbox: Keeper of its events.
        bundle: Where it came from.
        previews: The latest picture of each source, with and without what was found.
        streams: Live pictures by the names of their sinks.
        stream_fault: Why none can be drawn; empty where they can.
    """

    def __init__(
        self, bundle: AppBundle, served: ServedModel, root: Optional[Path], data: Path
    ) -> None:
        """Make all parts.

        Args:
            root: Of the releases, with the variables of this board.
            data: Folder for events that are not delivered yet.

        Raises:
            LoadError: in one sentence, when it cannot run.
        """
        self.bundle = bundle
        self.stream_fault = ""
        self.previews: Dict[Tuple[str, bool], RecentPreview] = {}
        self.context = BundleContext(bundle, served, data)
        try:
            self.graph = graph_of(bundle.document, variables_of(root))
            sinks = [one.name for one in self.graph.receivers]
            document = bundle.document
            self.outbox = Outbox(str(data), document.name, document.outbox, sinks)
            self.engine = AppEngine(self.graph, self.context, self.outbox)
            self._workers = SinkWorkers(self.graph.receivers, self.context, self.outbox)
            self.streams = streams_of(self.graph, self.context)
        except AppError as error:
            raise LoadError("The app cannot run: {}".format(error)) from None

    def start(self) -> None:
        """Begin to read sources and to deliver events."""
        self._workers.start()
        self.engine.start()

    def stop(self) -> None:
        """End; what was found is stored."""
        self.engine.stop()
        self._workers.stop()

    def status(self) -> Dict[str, object]:
        """Return its state as plain data."""
        found = self.engine.status()
        return {
            **found,
            "fault": found["fault"] or self.outbox.fault or self.stream_fault,
            "sinks": self._workers.to_json(),
            "streams": {name: one.to_json() for name, one in self.streams.items()},
        }
