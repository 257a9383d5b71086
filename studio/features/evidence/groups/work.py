"""Work of the step ``groups``, in a worker, and what the registry keeps of it."""

from __future__ import annotations

import hashlib
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from studio.api import Dataset, Progress, UsageError
from studio.documents.dataclass_json import to_json
from studio.evaluation.judge import Evaluator, dictionary_for
from studio.evaluation.loaded_model import LoadedModel
from studio.features.evidence.groups.fill import Grouping, answered, compared, grouped
from studio.features.evidence.groups.group_file import GroupFile
from studio.features.evidence.groups.measure import measure
from studio.features.evidence.groups.results import GroupReport, GroupsResult
from studio.features.evidence.groups.sample_table import SampleRow
from studio.features.evidence.groups.step import GroupsOptions
from studio.features.evidence.groups.watched_samples import WatchedSamples
from studio.jobs import Job
from studio.jobs.phases import Phase
from studio.plugin_host import PluginHost
from studio.registry import ModelRef, Registry, below

TABLE = "samples.csv"

FIGURES = {
    "top1": "accuracy",
    "top5": "in the first five",
    "f1": "accuracy",
    "auc": "accuracy",
    "exact": "exact texts",
    "cer": "right characters",
    "map": "F1 of boxes",
    "box-f1": "F1 of boxes",
}
"""The figures of one sample by metric, where its title means a figure of all samples."""


def groups(options: GroupsOptions, job: Job) -> GroupsResult:
    """Measure quality by group.

    Raises:
        UsageError: when the data has no labels, or a group cannot be made.
        InvalidData: when the data, or the file of groups, does not fit.
    """
    host = PluginHost.discover()
    file = GroupFile.read(options.groups) if options.groups else None
    subject = _load(options.model, options, host, Phase(job, 0, 0.02))
    dataset = subject.labelled(options.data, options.samples)
    files = (options.dictionary, options.outputs)
    judge = metric_of(host, options.metric, dataset, options.data, *files)
    grouping = Grouping.choose(options.by, file, next(iter(dataset)).label)
    samples = WatchedSamples(dataset, grouping.attributes, subject.inputs)
    middle = 0.9 if options.against is None else 0.45
    rows, kind = _run(subject, samples, judge, Phase(job, 0.02, middle, "Running the samples"))
    whole = len(rows) == len(subject.labelled(options.data))
    table = grouped(rows, samples, grouping, whole)
    other = None
    if options.against is not None:
        other = _load(options.against, options, host, Phase(job, middle, middle + 0.02))
        again = WatchedSamples(other.labelled(options.data, options.samples), (), other.inputs)
        rest, _ = _run(other, again, judge, Phase(job, middle, 0.9, "Running the other variant"))
        table = compared(table, {row.sample: row.value for row in rest})
    job.progress(0.9, 1, "Computing intervals")
    report = measure(table, options.seed, grouping.by, options.least)
    text = table.to_csv().encode()
    (job.folder / TABLE).write_bytes(text)
    return GroupsResult(
        model=subject.title,
        metric=judge.metric.id,
        title=judge.metric.title,
        figure=FIGURES.get(judge.metric.id, judge.metric.title),
        samples=len(rows),
        overall=report.overall,
        columns=report.columns,
        groups=report.groups,
        worst_group=report.worst_group,
        calibration=report.calibration,
        confidences=kind,
        against=other.title if other else None,
        table=hashlib.sha256(text).hexdigest(),
        seed=report.seed,
        least=report.least,
        required=options.require,
        passed=_passed(report, options.require),
        notes=_notes(samples, file, whole),
    )


def metric_of(
    host: PluginHost,
    wanted: str,
    dataset: Dataset,
    data: Path,
    dictionary: Path | None,
    outputs: Path | None = None,
) -> Evaluator:
    """Return the metric for labelled data.

    Raises:
        UsageError: when the data has no labels, or the metric needs another model.
        InvalidData: when the labels do not suit the metric.
    """
    characters = dictionary_for(data, dictionary)
    judge = Evaluator.choose(host, wanted, dataset, characters, outputs)
    if judge is None:
        raise UsageError(
            "No metric fits this data: it has no labels.", hint="Add labels to the data."
        )
    if judge.by_reference:
        raise UsageError(
            f"{judge.metric.title} compares with a float model, and groups need labels.",
            hint="Choose a metric of labels: --metric top1.",
        )
    return judge


def recorded(
    registry: Registry, options: GroupsOptions, result: GroupsResult, folder: Path
) -> GroupsResult:
    """Keep the report with the variant; write the table of samples to where it is wanted."""
    table = below(folder, TABLE)
    if options.table is not None:
        options.table.write_bytes(table.read_bytes())
        result = replace(result, output=str(options.table))
    kept = {"samples": registry.adopt(table)}
    given = {"by": list(options.by)} if options.by else {}
    registry.add_run("groups", options.model.variant, given, to_json(result), kept)
    return result


def _load(
    ref: ModelRef, options: GroupsOptions, host: PluginHost, progress: Progress
) -> LoadedModel:
    return LoadedModel.of(ref, host, progress, (), options.label_map)


def _run(
    subject: LoadedModel, samples: WatchedSamples, judge: Evaluator, progress: Progress
) -> tuple[tuple[SampleRow, ...], str]:
    with closing(subject.scoring()) as session:
        return answered(session, samples, judge, progress)


def _passed(report: GroupReport, required: float | None) -> bool:
    """Return whether the worst group reaches a figure; without any group, all samples must."""
    if required is None:
        return True
    lowest = report.worst_group.value if report.worst_group else report.overall.value
    return lowest is not None and lowest >= required


def _notes(samples: WatchedSamples, file: GroupFile | None, whole: bool) -> tuple[str, ...]:
    notes = []
    if samples.contradiction:
        first, second = samples.contradiction
        notes.append(f"The samples {first} and {second} are equal and have different labels.")
    if file is not None and not whole:
        notes.append(f"Not all samples of {file.name} were run: --samples is their limit.")
    return tuple(notes)
