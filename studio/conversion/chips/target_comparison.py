"""The outputs of a target, next to those of a chip's emulator and of the given model."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy

from studio.api import (
    Array,
    Feeds,
    Progress,
    Quantization,
    Sample,
    Session,
    TargetError,
    TargetSpec,
)
from studio.conversion.chips.results import SampleComparison, TargetNumbers
from studio.conversion.chips.task_score import TaskScore
from studio.conversion.errors import Worst, relative_error
from studio.evaluation.float_outputs import FloatOutputs
from studio.evaluation.judge import Evaluator
from studio.evaluation.loaded_model import LoadedModel
from studio.evaluation.on_target import TargetSession
from studio.lazy_dataclass import dataclass
from studio.plugin_host import PluginHost

_NAMED = 20
"""Most samples in the result."""


class _Samples:
    """Samples as a dataset."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._samples = samples

    def __len__(self) -> int:
        return len(self._samples)

    def __iter__(self) -> Iterator[Sample]:
        return iter(self._samples)


@dataclass(frozen=True, slots=True)
class ModelOnTarget:
    """The given model on a target, which runs it with its own runtime.

    Attributes:
        provider: Execution provider there; empty for the runtime's default.
    """

    subject: LoadedModel
    host: PluginHost
    target: TargetSpec
    provider: str
    folder: Path
    job: Progress

    def session(self, model: Path | None = None) -> TargetSession:
        """Return the answers of the model, or of another file in its format."""
        subject = self.subject if model is None else replace(self.subject, path=model)
        folder = Path(tempfile.mkdtemp(dir=self.folder, prefix="target-"))
        return TargetSession(subject, self.host, self.target, folder, self.job, self.provider)

    def run(self, model: Path, feeds: Feeds, like: Session) -> Mapping[str, Array]:
        """Run another model there once.

        Raises:
            TargetError: when the target cannot.
        """
        with closing(self.session(model).begin(_Samples([Sample(feeds)]), like)) as session:
            return session.run(feeds)


class TargetComparison:
    """The comparison of a target's outputs, sample by sample.

    Attributes:
        problem: Why no more samples were compared; empty where all were.
        worst: Input of the sample with the largest error between target and chip.
    """

    def __init__(
        self,
        model: ModelOnTarget,
        samples: Sequence[Sample],
        like: Session,
        steps: Mapping[str, Quantization],
        evaluator: Evaluator | None,
    ) -> None:
        """Prepare it; the first comparison connects.

        Args:
            samples: In the order in which their outputs come.
            like: A session of the model on this computer.
            steps: Quantizations of the outputs that are integers.
        """
        self._answers = model.session()
        session = self._answers.begin(_Samples(samples), like)
        self._session = FloatOutputs(session, steps) if steps else session
        self._name = model.target.name
        self._samples = iter(samples)
        self._to_model, self._to_chip = Worst(like.output_names), Worst(like.output_names)
        self._score = TaskScore(evaluator, samples) if evaluator is not None else None
        self._largest: list[tuple[float, int, SampleComparison]] = []
        self.problem = ""
        self.worst: Feeds = {}

    def add(self, chip: Mapping[str, Array], model: Mapping[str, Array]) -> None:
        """Compare the outputs for the next sample."""
        sample = next(self._samples)
        if self.problem:
            return
        try:
            target = self._session.run(sample.feeds)
        except TargetError as error:
            self.problem = f"Not compared further with {self._name}: {error.message}"
            return
        before = self._to_chip.error
        self._to_model.add(target, model)
        self._to_chip.add(target, chip)
        if self._to_chip.error > before or not self.worst:
            self.worst = sample.feeds
        if self._score is not None:
            self._score.add(target, model)
        self._keep(sample.name, model, chip, target)

    def _keep(self, name: str, *outputs: Mapping[str, Array]) -> None:
        model, chip, target = outputs
        found = SampleComparison(
            name or str(self._to_chip.requests - 1),
            _error(chip, model),
            _error(target, model),
            _error(target, chip),
            _classes(outputs),
        )
        heapq.heappush(self._largest, (found.difference, -self._to_chip.requests, found))
        if len(self._largest) > _NAMED:
            heapq.heappop(self._largest)

    @property
    def output(self) -> tuple[str, float]:
        """The output with the largest error between target and chip, and that error."""
        return self._to_chip.output, self._to_chip.error

    def numbers(self) -> TargetNumbers | None:
        """Return the comparison; None where the target has answered nothing."""
        if not self._to_chip.requests:
            return None
        return TargetNumbers(
            self._name,
            self._answers.about.runtime or "",
            self._answers.about.version or "",
            self._to_chip.requests,
            self._to_model.error,
            self._to_chip.error,
            self._to_chip.argmax_equal,
            self._score.metric() if self._score is not None else None,
            tuple(one for _, _, one in sorted(self._largest, reverse=True)),
        )

    def close(self) -> None:
        """Remove what was brought to the target."""
        self._session.close()


def _error(found: Mapping[str, Array], wanted: Mapping[str, Array]) -> float:
    return max((relative_error(found[name], wanted[name]) for name in wanted), default=0.0)


def _classes(outputs: Sequence[Mapping[str, Array]]) -> tuple[int, ...]:
    """Return the class of each side, from the first output that is one row of scores."""
    for name, array in outputs[0].items():
        if array.dtype.kind == "f" and array.ndim > 1 and array.shape[-1] == array.size > 1:
            return tuple(int(numpy.argmax(one[name])) for one in outputs)
    return ()
