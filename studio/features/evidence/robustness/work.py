"""Work of the step ``robustness``, in a worker, and what the registry keeps of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from itertools import islice

import numpy
from numpy.typing import NDArray

from studio.api import Dataset, InvalidData, Progress, Session, UsageError
from studio.documents.dataclass_json import to_json
from studio.evaluation.judge import Evaluator
from studio.evaluation.loaded_model import LoadedModel
from studio.evaluation.session_pool import answers
from studio.features.evidence.groups.answers import AnswerReader
from studio.features.evidence.groups.differences import paired_difference
from studio.features.evidence.groups.intervals import mean_interval
from studio.features.evidence.groups.work import FIGURES, metric_of
from studio.features.evidence.robustness.attack import SquareAttack
from studio.features.evidence.robustness.corrupted_samples import (
    TEXT_INPUT,
    CorruptedSamples,
    InputScale,
)
from studio.features.evidence.robustness.families import ADVERSARIAL, random_for
from studio.features.evidence.robustness.figure_table import FigureTable
from studio.features.evidence.robustness.results import (
    AttackResult,
    CorruptionRow,
    FamilyFigures,
    RobustnessResult,
)
from studio.features.evidence.robustness.step import RobustnessOptions
from studio.jobs import Job
from studio.jobs.phases import Phase
from studio.plugin_host import PluginHost
from studio.registry import Registry

Floats = NDArray[numpy.float64]

TABLE = "corrupted.csv"


def robustness(options: RobustnessOptions, job: Job) -> RobustnessResult:
    """Measure quality on corrupted samples.

    Raises:
        UsageError: when the data has no labels, or a family does not suit it.
        InvalidData: when the data does not fit.
    """
    host = PluginHost.discover()
    subject = LoadedModel.of(options.model, host, Phase(job, 0, 0.02), (), options.label_map)
    dataset = subject.labelled(options.data, options.samples)
    files = (options.dictionary, options.outputs)
    judge = metric_of(host, options.metric, dataset, options.data, *files)
    scale = InputScale.of(dataset, subject.inputs)
    families = _chosen(scale, options.family)
    with closing(subject.scoring()) as session:
        clean = figures(session, dataset, judge, Phase(job, 0.02, 0.05, "Clean samples"))
        each = FigureTable(clean)
        rows = _rows(session, dataset, judge, scale, families, each, options, job)
        attack = _attack(session, dataset, scale, options, job) if options.attack else None
    each.write(job.folder / TABLE)
    means = _means(rows)
    lowest = min(means.values())
    held = attack.held / attack.samples if attack is not None else None
    return RobustnessResult(
        model=subject.title,
        metric=judge.metric.id,
        title=judge.metric.title,
        figure=FIGURES.get(judge.metric.id, judge.metric.title),
        samples=len(clean),
        clean=float(clean.mean()),
        interval=mean_interval(clean, options.seed),
        robustness=FamilyFigures(
            float(numpy.mean(list(means.values()))), lowest, adversarial=held, **means
        ),
        rows=tuple(rows),
        applied_to=scale.kind,
        low=scale.low,
        high=scale.high,
        severities=_severities(options),
        seed=options.seed,
        attack=attack,
        required=options.require,
        passed=options.require is None or lowest >= options.require,
    )


def recorded(
    registry: Registry, options: RobustnessOptions, result: RobustnessResult, folder: object
) -> RobustnessResult:
    """Keep the report with the variant."""
    registry.add_run("robustness", options.model.variant, {}, to_json(result))
    return result


def figures(session: Session, dataset: Dataset, judge: Evaluator, progress: Progress) -> Floats:
    """Return the metric's figure of each sample, in the order of the data.

    Raises:
        InvalidData: when a sample has no label.
        UsageError: when the metric has no figure of a single sample.
    """
    found: list[float] = []
    for index, (sample, outputs) in enumerate(answers(session, dataset)):
        progress.progress(index, len(dataset))
        if sample.label is None:
            raise InvalidData(f"Sample {sample.name} has no label.")
        figure = judge.right(judge.read(sample, outputs), sample.label)
        if figure is None:
            raise UsageError(
                f"{judge.metric.title} has no figure of a single sample.",
                hint="Choose another metric: --metric top1.",
            )
        found.append(float(figure))
    return numpy.array(found, numpy.float64)


def _chosen(scale: InputScale, wanted: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Return the corruptions of the wanted families, or of all.

    Raises:
        UsageError: for a family that does not suit the data.
    """
    known = scale.families
    unknown = next((one for one in wanted if one not in known), None)
    if unknown is not None:
        raise UsageError(
            f"The family {unknown!r} does not suit {scale.kind}.",
            hint=f"Known: {', '.join(known)}.",
        )
    return {name: known[name] for name in (wanted or known)}


def _severities(options: RobustnessOptions) -> tuple[int, ...]:
    return tuple(sorted(set(options.severity))) or (1, 3, 5)


def _rows(
    session: Session,
    dataset: Dataset,
    judge: Evaluator,
    scale: InputScale,
    families: Mapping[str, Sequence[str]],
    each: FigureTable,
    options: RobustnessOptions,
    job: Job,
) -> list[CorruptionRow]:
    plan = [
        (family, corruption, severity)
        for family, corruptions in families.items()
        for corruption in corruptions
        for severity in _severities(options)
    ]
    rows = []
    share = 0.85 / len(plan)
    for index, (family, corruption, severity) in enumerate(plan):
        begin = 0.05 + share * index
        progress = Phase(job, begin, begin + share, f"{corruption}, severity {severity}")
        samples = CorruptedSamples(dataset, scale, corruption, severity, options.seed)
        found = each.add(corruption, severity, figures(session, samples, judge, progress))
        rows.append(
            CorruptionRow(
                family,
                corruption,
                severity,
                float(found.mean()),
                mean_interval(found, options.seed),
                paired_difference(found, each.clean, options.seed),
            )
        )
    return rows


def _means(rows: Sequence[CorruptionRow]) -> dict[str, float]:
    """Return the mean figure of each family."""
    values: dict[str, list[float]] = {}
    for row in rows:
        values.setdefault(row.family, []).append(row.value)
    return {family: float(numpy.mean(each)) for family, each in values.items()}


def _attack(
    session: Session, dataset: Dataset, scale: InputScale, options: RobustnessOptions, job: Job
) -> AttackResult:
    """Attack the first samples.

    Raises:
        UsageError: for a model that is no classifier of numbers.
    """
    low, high = numpy.asarray(scale.low), numpy.asarray(scale.high)
    if scale.spread is not None:
        low, high = scale.spread.low, scale.spread.high
    attack = SquareAttack(scale.name, options.epsilon, low, high, options.runs)
    held = []
    count = min(options.attacked, len(dataset))
    for index, sample in enumerate(islice(dataset, count)):
        job.progress(0.9 + 0.1 * index / count, 1, "Attacking")
        answer = AnswerReader().read(session.run(sample.feeds)).answer
        if scale.kind == TEXT_INPUT or not isinstance(sample.label, int) or not answer:
            raise UsageError(
                "The attack needs a classifier of numbers.", hint="Leave --attack out."
            )
        random = random_for(options.seed, ADVERSARIAL, 0, sample.name or f"#{index}")
        right = answer == str(sample.label)
        held.append(right and not attack.breaks(session, sample.feeds, sample.label, random))
    values = numpy.array(held, numpy.float64)
    return AttackResult(
        samples=len(held),
        held=int(values.sum()),
        epsilon=options.epsilon,
        runs=options.runs,
        interval=mean_interval(values, options.seed),
    )
