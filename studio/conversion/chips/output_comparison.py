"""The outputs of a model on a chip, compared with those of the given model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from studio.api import Array, ChipCompiler, Compiled, Sample, Session, StudioError
from studio.conversion.chips.catalogue import ChipSpec
from studio.conversion.chips.difference import ChipDifference, Reference, located
from studio.conversion.chips.numeric_gate import write_golden
from studio.conversion.chips.results import ChipNumbers, TargetNumbers
from studio.conversion.chips.target_comparison import ModelOnTarget, TargetComparison
from studio.conversion.chips.task_score import TaskScore
from studio.conversion.comparison import ForeignModel, compare_export, requests
from studio.evaluation.float_outputs import FloatOutputs, quantized_ends
from studio.evaluation.judge import Evaluator
from studio.jobs.step import Job
from studio.lazy_dataclass import dataclass
from studio.models.backends import backend_for
from studio.models.opening import OpenedModel, read_model
from studio.models.shapes import parse
from studio.plugin_host import PluginHost

Evaluate = Callable[[Sequence[Sample]], "Evaluator | None"]
"""Returns the metric for samples; None without labels."""


@dataclass(frozen=True, slots=True)
class GivenModel:
    """The model whose outputs those of the chip are compared with.

    Attributes:
        input: Fixed shapes of inputs with open sizes, as the option has them.
        samples: Returns the samples for the model; none: made-up inputs.
        evaluate: Raises StudioError where labels do not suit the metric.
        locate: Whether to name the first value that differs; the model is the compiled one.
        on_target: The model on a target that runs the same samples; None without one.
    """

    path: Path
    format: str
    input: tuple[str, ...]
    samples: Callable[[OpenedModel], Sequence[Sample]]
    evaluate: Evaluate
    locate: bool = False
    on_target: ModelOnTarget | None = None


@dataclass(frozen=True, slots=True)
class ComparedOutputs:
    """A comparison of outputs.

    Attributes:
        given: Number of samples that there were.
        warnings: Why not everything was compared.
    """

    numbers: ChipNumbers
    given: int
    warnings: tuple[str, ...] = ()


class OutputComparison:
    """The comparison for one model that was compiled.

    Args:
        model: In the chip's format.
        folder: For new folders with temporary files.
    """

    def __init__(
        self,
        model: Path,
        given: GivenModel,
        compiler: ChipCompiler,
        host: PluginHost,
        folder: Path,
        job: Job,
    ) -> None:
        self._given, self._compiler = given, compiler
        self._host, self._folder, self._job = host, folder, job
        framework = f"{compiler.title} {compiler.version()}"
        self._made = ForeignModel(compiler, model, framework, slow=True)
        self._source = read_model(given.path, job, parse(given.input), host=host)
        self._steps = quantized_ends(self._source.model.graph.outputs)
        self._warnings: list[str] = []

    def run(self, compiled: Compiled, chip: ChipSpec) -> ComparedOutputs:
        """Run both models on the same samples.

        Raises:
            InvalidModel: when one of them does not run on them, or has other outputs.
            Unavailable: when nothing here computes as the chip does.
        """
        backend = backend_for(self._given.format, self._host)
        with closing(backend.load(self._given.path, {"threads": 1})) as session:
            given = self._given.samples(self._source)
            samples = given or self._made_up(session)
            evaluator = self._evaluator(given) if given else None
            exact = FloatOutputs(session, self._steps) if self._steps else session
            against = f"{backend.title} {backend.version()}"
            numbers = self._numbers(samples, evaluator, exact, against)
            write_golden(compiled, chip, exact, [one.feeds for one in samples])
        return ComparedOutputs(numbers, len(samples), tuple(self._warnings))

    def _made_up(self, session: Session) -> Sequence[Sample]:
        inputs = self._source.sized.graph.inputs
        return [Sample(feeds) for feeds in requests(session, inputs, None)]

    def _numbers(
        self,
        samples: Sequence[Sample],
        evaluator: Evaluator | None,
        exact: Session,
        against: str,
    ) -> ChipNumbers:
        score = TaskScore(evaluator, samples) if evaluator is not None else None
        target = self._on_target(samples, exact, evaluator)

        def observe(chip: Mapping[str, Array], model: Mapping[str, Array]) -> None:
            if score is not None:
                score.add(chip, model)
            if target is not None:
                target.add(chip, model)

        feeds = [one.feeds for one in samples]
        scratch = self._folder / "numbers"
        scratch.mkdir()
        try:
            found, worst = compare_export(
                self._made, exact, against, feeds, scratch, self._job, observe
            )
        finally:
            if target is not None:
                target.close()
        numbers = ChipNumbers(
            against,
            found.samples,
            found.max_error,
            found.argmax_equal,
            score.metric() if score is not None else None,
            target=self._target_numbers(target),
        )
        if not self._given.locate or not found.max_error:
            return numbers
        first, why_not = located(
            self._search("difference"), worst, found.output, found.max_error, self._job
        )
        self._warn(why_not)
        return replace(numbers, first=first)

    def _evaluator(self, samples: Sequence[Sample]) -> Evaluator | None:
        """Return the metric for labelled samples; None, or with a warning, without one."""
        try:
            return self._given.evaluate(samples)
        except StudioError as error:
            self._warn(f"Not evaluated: {error.message}")
            return None

    def _on_target(
        self, samples: Sequence[Sample], like: Session, evaluator: Evaluator | None
    ) -> TargetComparison | None:
        model = self._given.on_target
        if model is None:
            return None
        return TargetComparison(model, samples, like, self._steps, evaluator)

    def _target_numbers(self, compared: TargetComparison | None) -> TargetNumbers | None:
        """Return the target's numbers, with the first value that differs where that is wanted."""
        if compared is None:
            return None
        self._warn(compared.problem)
        numbers = compared.numbers()
        model, (output, error) = self._given.on_target, compared.output
        if numbers is None or model is None or not self._given.locate or not error:
            return numbers
        search = self._search("target-difference", model.run)
        first, why_not = located(search, compared.worst, output, error, self._job)
        self._warn(why_not)
        return replace(numbers, first=first)

    def _search(self, folder: str, reference: Reference | None = None) -> ChipDifference:
        scratch = self._folder / folder
        return ChipDifference(
            self._source, self._compiler, self._host, scratch, self._job, reference
        )

    def _warn(self, text: str) -> None:
        if text:
            self._warnings.append(text)
