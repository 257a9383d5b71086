"""The work of the step explain, in a worker."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

from studio.api import Extension, Progress, Sample, TargetSpec, Transform
from studio.datasets.output_settings import read_outputs
from studio.datasets.text_lines import text_lines
from studio.evaluation.loaded_model import LoadedModel
from studio.evaluation.results import RuntimeVersion
from studio.features.evidence.explanations.chosen_samples import ChosenSamples, feature_names
from studio.features.evidence.explanations.counterfactual import Decisions, counterfactual
from studio.features.evidence.explanations.explained_model import ExplainedModel, loaded, on_target
from studio.features.evidence.explanations.explainer import FoundMap, ScoreQuestion, explained
from studio.features.evidence.explanations.heat import picture_pixels
from studio.features.evidence.explanations.map_file import PIXELS, MapFile
from studio.features.evidence.explanations.panels import draw
from studio.features.evidence.explanations.question import ClassScore, InputKind
from studio.features.evidence.explanations.results import (
    Counterfactual,
    ExplainResult,
    SampleExplanation,
)
from studio.features.evidence.explanations.sample_parts import compared, described, is_changed
from studio.features.evidence.explanations.step import ExplainOptions
from studio.jobs.phases import Phase
from studio.jobs.step import Job
from studio.lazy_dataclass import dataclass
from studio.plugin_host import PluginHost
from studio.registry import ModelRef, file_digest, folder_digest

MAPS = "maps.npz"
DRAWING = "explanation.png"
SHUFFLES = 3
"""Copies with shuffled weights of a sanity check."""

_SHUFFLE = "shuffle-weights"


@dataclass(frozen=True, slots=True)
class _Task:
    """What all explanations of a run share.

    Attributes:
        folder: For copies of the model with a gradient.
    """

    options: ExplainOptions
    host: PluginHost
    subject: LoadedModel
    chosen: ChosenSamples
    labels: tuple[str, ...]
    tokens: tuple[str, ...]
    maps: MapFile
    folder: Path


@dataclass(frozen=True, slots=True)
class _Explained:
    """A sample with its question and its map."""

    number: int
    sample: Sample
    question: ScoreQuestion
    found: FoundMap
    names: tuple[str, ...]
    other: Counterfactual | None


def explain(options: ExplainOptions, job: Job) -> ExplainResult:
    """Explain the scores of samples, compare variants, and draw all maps.

    Raises:
        UsageError: for a sample or class that is not there, or a bound that is too small.
        InvalidModel: when the model has no scores to explain.
        InvalidData: when the data does not fit the model.
    """
    begin = time.monotonic()
    task = _task(options, job)
    parts = 1 + len(options.against) + (SHUFFLES if options.sanity else 0)
    rows, runtime = _own(task, job, Phase(job, 0.05, 0.05 + 0.9 / parts))
    total = sum(one.found.total for one in rows)
    samples = [_described(task, one) for one in rows]
    for number, other in enumerate(options.against):
        phase = _part(job, 1 + number, parts, f"Explaining {other.name}")
        samples, used = _compared(task, other, rows, samples, phase)
        total += used
    notes: tuple[str, ...] = ()
    if options.sanity:
        samples, used, notes = _checked(task, rows, samples, job, parts)
        total += used
    job.progress(0.97, 1, "Drawing")
    draw(job.folder / DRAWING, samples, task.maps, [one.found for one in rows])
    task.maps.write(job.folder / MAPS)
    checks = [one.sanity.passed for one in samples if one.sanity is not None]
    return ExplainResult(
        model=task.subject.title,
        digest=options.model.digest,
        data=str(options.data),
        data_digest=_digest(options.data),
        method=", ".join(dict.fromkeys(one.method for one in samples)),
        target=options.target.name if options.target else "local",
        backend=runtime,
        seed=options.seed,
        reference=options.reference,
        evaluations=total,
        seconds=round(time.monotonic() - begin, 3),
        samples=tuple(samples),
        output=DRAWING,
        maps=MAPS,
        maps_digest=file_digest(job.folder / MAPS),
        sanity=all(checks) if checks else None,
        notes=notes,
    )


def _task(options: ExplainOptions, job: Job) -> _Task:
    host = PluginHost.discover()
    subject = LoadedModel.of(options.model, host, Phase(job, 0, 0.03))
    job.progress(0.03, 1, "Reading the samples")
    chosen = ChosenSamples.read(subject, options.data, options.sample, options.features)
    labels, tokens = text_lines(options.labels), text_lines(options.vocabulary)
    folder = job.folder / "gradients"
    return _Task(options, host, subject, chosen, tuple(labels), tuple(tokens), MapFile(), folder)


def _own(task: _Task, job: Job, phase: Progress) -> tuple[list[_Explained], RuntimeVersion]:
    """Explain the samples by the model itself, here or on the target."""
    chosen, options = task.chosen, task.options
    rows: list[_Explained] = []
    with _model(task, job) as model:
        for number, sample in enumerate(chosen.samples):
            outputs = model.outputs(sample.feeds)
            question = ScoreQuestion.of(options, sample, outputs, task.labels, chosen.names)
            title = f"Explaining sample {sample.name or number}"
            part = Phase(phase, *_share(number, len(chosen.samples)), title)
            found = explained(model, question, sample, chosen.background, options, part)
            task.maps.add(f"sample-{number}", found.values)
            if question.altered.kind is InputKind.PICTURE:
                altered = found.altered
                pixels = picture_pixels(altered.sample, altered.axes, chosen.blue_first)
                task.maps.add(f"sample-{number}{PIXELS}", pixels)
            names = _names(task, question, found)
            other = _other(task, model, question, sample, names)
            rows.append(_Explained(number, sample, question, found, names, other))
        return rows, model.runtime


def _names(task: _Task, question: ScoreQuestion, found: FoundMap) -> tuple[str, ...]:
    """Return the names of the features of a row; none of other inputs."""
    is_row = question.altered.kind is InputKind.ROW
    return feature_names(task.chosen.names, found.altered.count) if is_row else ()


def _other(
    task: _Task,
    model: ExplainedModel,
    question: ScoreQuestion,
    sample: Sample,
    names: tuple[str, ...],
) -> Counterfactual | None:
    """Return the most similar sample of another class; None for a detector."""
    if not isinstance(question.reader, ClassScore):
        return None
    path = task.options.outputs
    decisions = Decisions.of(question.reader, read_outputs(path) if path else None, task.labels)
    return counterfactual(model, question, sample, task.chosen.candidates, decisions, names)


def _described(task: _Task, one: _Explained) -> SampleExplanation:
    key = f"sample-{one.number}"
    found = described(one.sample, one.question, one.found, key, one.names, task.tokens)
    return replace(found, counterfactual=one.other)


def _compared(
    task: _Task,
    other: ModelRef,
    rows: Sequence[_Explained],
    samples: Sequence[SampleExplanation],
    phase: Progress,
) -> tuple[list[SampleExplanation], int]:
    """Explain the same scores by another variant."""
    options = task.options
    subject = LoadedModel.of(other, task.host, Phase(phase, 0, 0.02))
    chosen = ChosenSamples.read(subject, options.data, options.sample, options.features)
    found: list[SampleExplanation] = []
    used = 0
    with loaded(subject, task.host, task.folder) as model:
        for number, (one, sample) in enumerate(zip(rows, chosen.samples, strict=True)):
            part = Phase(phase, *_share(number, len(rows)))
            theirs = explained(
                model, one.question, sample, chosen.background, options, part, with_curves=False
            )
            key = task.maps.add(f"sample-{number}-{subject.title}", theirs.values)
            found.append(compared(samples[number], subject.title, one.found, theirs, key))
            used += theirs.total
    return found, used


def _checked(
    task: _Task,
    rows: Sequence[_Explained],
    samples: Sequence[SampleExplanation],
    job: Job,
    parts: int,
) -> tuple[list[SampleExplanation], int, tuple[str, ...]]:
    """Explain copies with shuffled weights (Adebayo et al., "Sanity Checks", 2018)."""
    options = task.options
    if options.model.format != "onnx":
        note = f"The check with shuffled weights needs an ONNX model, not {options.model.format}."
        return list(samples), 0, (note,)
    others: list[list[FoundMap]] = [[] for _ in rows]
    for shuffle in range(SHUFFLES):
        phase = _part(job, parts - SHUFFLES + shuffle, parts, "Explaining with shuffled weights")
        path = _shuffled(task, job, shuffle)
        with loaded(task.subject, task.host, task.folder, path) as model:
            for number, one in enumerate(rows):
                part = Phase(phase, *_share(number, len(rows)))
                others[number].append(
                    explained(
                        model,
                        one.question,
                        one.sample,
                        task.chosen.background,
                        options,
                        part,
                        with_curves=False,
                    )
                )
    for number, found in enumerate(others):
        task.maps.add(f"sample-{number}-shuffled", found[0].values)
    own = [one.found for one in rows]
    checked = [is_changed(*row) for row in zip(samples, own, others, strict=True)]
    return checked, sum(one.total for found in others for one in found), ()


def _shuffled(task: _Task, job: Job, number: int) -> Path:
    """Write a copy of the model with shuffled weights."""
    transform: Transform = task.host.get(Extension.TRANSFORM, _SHUFFLE)
    folder = job.folder / f"shuffled-{number}"
    folder.mkdir()
    seed = (task.options.seed + number) % 2**32
    made = transform.apply(
        task.subject.path, folder / task.subject.path.name, {"seed": seed}, None, job
    )
    return made.path


@contextmanager
def _model(task: _Task, job: Job) -> Iterator[ExplainedModel]:
    target: TargetSpec | None = task.options.target
    opened: AbstractContextManager[ExplainedModel]
    opened = loaded(task.subject, task.host, task.folder)
    if target is not None and not target.url.startswith("local:"):
        opened = on_target(task.subject, task.host, target, job.folder, job)
    with opened as model:
        yield model


def _part(job: Job, number: int, parts: int, title: str) -> Phase:
    begin, end = _share(number, parts)
    return Phase(job, 0.05 + 0.9 * begin, 0.05 + 0.9 * end, title)


def _share(number: int, count: int) -> tuple[float, float]:
    return number / count, (number + 1) / count


def _digest(data: Path) -> str:
    return folder_digest(data) if data.is_dir() else file_digest(data)
