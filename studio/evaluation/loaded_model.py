"""The model that a job works on, as seen through the plugins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path

from studio.api import Backend, Dataset, Feeds, Progress, Quantization, Session, Value
from studio.datasets import open_dataset
from studio.datasets.label_map import LabelMap
from studio.evaluation.float_outputs import FloatOutputs, quantized_ends
from studio.evaluation.recurrent import Span, Stateful, Unrolled, pairs, start
from studio.evaluation.results import RuntimeVersion
from studio.evaluation.session_pool import abreast
from studio.lazy_dataclass import dataclass
from studio.models.backends import backend_for
from studio.models.opening import read_model
from studio.plugin_host import PluginHost
from studio.registry import ModelRef

_ROW_AXES = 2


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A variant with what must be known to feed it.

    Attributes:
        inputs: Those that data must be given for: all but the states.
        nbytes: Size of all of its files.
        nodes: Names of the nodes of its main graph.
        fed: The output that each state is fed with.
        zeros: The states that a pass begins with.
        label_map: The model's classes for the labels of its data; None where they are the same.
        steps: Quantizations of the outputs that are integers.
    """

    ref: ModelRef
    path: Path
    inputs: tuple[Value, ...]
    nbytes: int
    backend: Backend
    nodes: frozenset[str] = frozenset()
    fed: Mapping[str, str] = field(default_factory=dict)
    zeros: Feeds = field(default_factory=dict)
    label_map: LabelMap | None = None
    steps: Mapping[str, Quantization] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        ref: ModelRef,
        host: PluginHost,
        progress: Progress,
        states: Sequence[str] = (),
        label_map: Path | None = None,
    ) -> LoadedModel:
        """Look at the variant that a MODEL option names.

        Args:
            states: Inputs that are fed back, as ``INPUT=OUTPUT``.
            label_map: A file with the model's classes for the labels of its data.

        Raises:
            UsageError: for a state that the model does not have.
            InvalidData: for a label map that cannot be read or has other classes.
            InvalidModel: when it cannot be read.
            Unavailable: when nothing here can run its format.
        """
        opened = read_model(Path(ref.path), progress, host=host)
        nbytes = sum(file.stat().st_size for file in opened.files)
        backend = backend_for(ref.format, host)
        graph = opened.model.graph
        fed = pairs(states, graph.inputs, graph.outputs)
        zeros = start(graph.inputs, fed)
        inputs = tuple(value for value in graph.inputs if value.name not in fed)
        nodes = frozenset(node.name for node in graph.nodes)
        mapped = LabelMap.read(label_map) if label_map is not None else None
        if mapped is not None:
            mapped.check(_classes(graph.outputs))
        steps = quantized_ends(graph.outputs)
        return cls(ref, opened.path, inputs, nbytes, backend, nodes, fed, zeros, mapped, steps)

    @property
    def title(self) -> str:
        """The variant as ``MODEL:VARIANT``."""
        return f"{self.ref.model_name}:{self.ref.name}"

    @property
    def runtime(self) -> RuntimeVersion:
        """The runtime that runs it here."""
        return RuntimeVersion(self.backend.id, self.backend.version())

    def session(self, path: Path | None = None, threads: int = 0) -> Session:
        """Load the model, or a transformed one of the same format; it keeps its own state."""
        session = self.backend.load(path or self.path, {"threads": threads})
        session = FloatOutputs(session, self.steps) if self.steps else session
        return Stateful(session, self.fed, self.zeros) if self.fed else session

    def scoring(self, path: Path | None = None, alone: bool = False) -> Session:
        """Load the model to answer many samples, several at a time.

        Args:
            alone: One sample at a time, as wherever samples follow each other.
        """
        if alone or self.fed:
            return self.session(path)
        return abreast(lambda threads: self.session(path, threads), self.nbytes)

    def samples(self, path: Path, limit: int | None) -> Dataset:
        """Open data for the model: spread evenly, or one after the other where it has a state.

        The labels are not mapped, so that data without any in the map can calibrate.

        Raises:
            InvalidData: when it does not fit.
        """
        return self._opened(path, limit, None)

    def labelled(self, path: Path, limit: int | None = None) -> Dataset:
        """Open the same with the model's classes as labels.

        Raises:
            InvalidData: when it does not fit, or has labels that the map does not have.
        """
        return self._opened(path, limit, self.label_map)

    def _opened(self, path: Path, limit: int | None, label_map: LabelMap | None) -> Dataset:
        if not self.fed:
            return open_dataset(path, self.inputs, limit, label_map)
        whole = open_dataset(path, self.inputs, label_map=label_map)
        return Span(whole, 0, limit or len(whole))

    def whole_feeds(self, dataset: Dataset) -> Dataset:
        """Return the samples with the float model's states, for code that knows no states."""
        if not self.fed:
            return dataset
        session = self.backend.load(self.path, {"threads": 0})
        return Unrolled(dataset, session, self.fed, self.zeros)


def _classes(outputs: Sequence[Value]) -> int | None:
    """Return the number of scores of a model's only output; None where that is no row of scores."""
    kind = outputs[0].type if len(outputs) == 1 else None
    if kind is None or kind.shape is None or len(kind.shape) != _ROW_AXES:
        return None
    return kind.shape[1] if isinstance(kind.shape[1], int) else None
