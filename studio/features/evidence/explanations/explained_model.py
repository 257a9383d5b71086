"""A model that is ready to score altered samples, here or on a target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy

from studio.api import (
    Array,
    Feeds,
    Progress,
    Sample,
    Session,
    StudioError,
    TargetSpec,
    UsageError,
    Value,
)
from studio.evaluation.float_outputs import in_floats
from studio.evaluation.loaded_model import LoadedModel
from studio.evaluation.on_target import TargetSession
from studio.evaluation.results import RuntimeVersion
from studio.evaluation.session_pool import answers
from studio.features.evidence.explanations.gradient_source import (
    ATTENTION,
    GRADIENT,
    GradientSource,
)
from studio.features.evidence.explanations.methods.scorer import (
    Answer,
    Floats,
    ModelScorer,
    Outputs,
    Reader,
)
from studio.features.evidence.explanations.question import ClassScore
from studio.lazy_dataclass import dataclass
from studio.plugin_host import PluginHost

_TOLERANCE = 1e-3
"""Largest difference, relative to the largest output, between a batch and single samples."""


@dataclass(frozen=True, slots=True)
class ExplainedModel:
    """A loaded variant.

    Attributes:
        answer: Runs samples.
        remote: Of a target that runs the model; None on this computer.
        source: Of the copies with a gradient; None where there can be none.
    """

    subject: LoadedModel
    answer: Answer
    remote: TargetSession | None = None
    source: GradientSource | None = None

    @property
    def runtime(self) -> RuntimeVersion:
        """The runtime that has answered."""
        about = self.remote.about if self.remote is not None else None
        if about is None or about.runtime is None or about.version is None:
            return self.subject.runtime
        return RuntimeVersion(about.runtime, about.version)

    def outputs(self, feeds: Feeds) -> Outputs:
        """Return the outputs for one sample."""
        return next(iter(self.answer([Sample(feeds)])))

    def scorer(self, name: str, feeds: Feeds, reader: Reader) -> ModelScorer:
        """Return the scores of alterations of one input of a sample."""
        return ModelScorer(self.answer, name, feeds, reader, self._is_batched(feeds))

    @contextmanager
    def slopes(self, name: str, feeds: Feeds, reader: ClassScore) -> Iterator[ModelScorer]:
        """Load a copy that gives the gradient of a score for each alteration of a sample.

        Raises:
            UsageError: when the model has no gradient, or a target runs it.
        """
        with closing(self.subject.scoring(self._copies().written(name, reader))) as session:
            model = ExplainedModel(self.subject, _here(session))
            yield model.scorer(name, feeds, _gradient)

    def attention(self, feeds: Feeds) -> list[Array]:
        """Return the attention of each layer for one sample, in the order of the graph.

        Raises:
            UsageError: when the model has none that can be seen, or a target runs it.
        """
        with closing(self.subject.session(self._copies().attentive())) as session:
            outputs = session.run(feeds)
        names = (f"{ATTENTION}.{number}" for number in range(len(outputs)))
        return [outputs[name] for name in names if name in outputs]

    def _copies(self) -> GradientSource:
        if self.source is None:
            raise UsageError(
                "Gradients and attention are computed on this computer, not on a target.",
                hint="Leave --target out, or use a method that removes parts, such as rise.",
            )
        return self.source

    def _is_batched(self, feeds: Feeds) -> bool:
        """Return whether two samples in one batch have the outputs of each alone."""
        if not all(map(_is_open, self.subject.inputs)):
            return False
        twice = {name: numpy.repeat(array, 2, axis=0) for name, array in feeds.items()}
        single = self.outputs(feeds)
        try:
            double = self.outputs(twice)
        except StudioError:  # a size inside the model is fixed to one sample
            return False
        return all(_agrees(array, double[name]) for name, array in single.items())


@contextmanager
def loaded(
    subject: LoadedModel, host: PluginHost, folder: Path, path: Path | None = None
) -> Iterator[ExplainedModel]:
    """Load a variant on this computer.

    Args:
        folder: For copies with a gradient.
        path: A changed file of the same model.
    """
    source = GradientSource(host, path or subject.path, subject.ref.format, folder)
    with closing(subject.scoring(path)) as session:
        yield ExplainedModel(subject, _here(session), source=source)


@contextmanager
def on_target(
    subject: LoadedModel, host: PluginHost, target: TargetSpec, folder: Path, progress: Progress
) -> Iterator[ExplainedModel]:
    """Bring a variant to a target, whose runtime then answers.

    Args:
        folder: For what travels, on this computer.

    Raises:
        TargetError: when the connection is lost, or the target cannot run the model.
    """
    remote = TargetSession(subject, host, target, folder, progress)
    with remote.connected() as run:

        def answer(samples: Iterable[Sample]) -> Iterator[Outputs]:
            return (in_floats(outputs, subject.steps) for outputs in run(samples))

        yield ExplainedModel(subject, answer, remote)


def _gradient(outputs: Outputs) -> Floats:
    return outputs[GRADIENT].astype(numpy.float64)


def _here(session: Session) -> Answer:
    def answer(samples: Iterable[Sample]) -> Iterator[Outputs]:
        return (outputs for _, outputs in answers(session, samples))

    return answer


def _is_open(value: Value) -> bool:
    shape = value.type.shape if value.type else None
    if not shape:
        return False
    return not (isinstance(shape[0], int) and shape[0] > 0)


def _agrees(single: Array, double: Array) -> bool:
    if double.shape[:1] != (2,) or single.shape[:1] != (1,) or single.shape[1:] != double.shape[1:]:
        return False
    if single.dtype.kind not in "fiu":
        return False
    size = max(1e-6, float(numpy.abs(single).max(initial=0)))
    difference = numpy.abs(double.astype(numpy.float64) - single.astype(numpy.float64))
    return bool(difference.max(initial=0) <= _TOLERANCE * size)
