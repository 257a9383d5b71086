"""Measurements that a dossier makes: quality by group, robustness, explanations."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from studio.api import StudioError
from studio.features.evidence.explanations.results import ExplainResult
from studio.features.evidence.explanations.step import ExplainOptions
from studio.features.evidence.explanations.work import explain
from studio.features.evidence.groups.chosen import chosen_samples
from studio.features.evidence.groups.results import GroupsResult
from studio.features.evidence.groups.sample_table import SampleTable
from studio.features.evidence.groups.step import GroupsOptions
from studio.features.evidence.groups.work import TABLE, groups
from studio.features.evidence.records.records import Records
from studio.features.evidence.robustness.results import RobustnessResult
from studio.features.evidence.robustness.step import RobustnessOptions
from studio.features.evidence.robustness.work import TABLE as CORRUPTED
from studio.features.evidence.robustness.work import robustness
from studio.features.evidence.step import EvidenceOptions
from studio.jobs import Job
from studio.jobs.phases import Phase
from studio.lazy_dataclass import dataclass

SAMPLES_FILE = "records/samples.csv"
CORRUPTED_FILE = "records/corrupted.csv"
MAPS_FILE = "explanations/maps.npz"
DRAWING_FILE = "explanations/maps.png"

_ROBUSTNESS_SAMPLES = 200
_FEWEST_SAMPLES = 20
_ROBUSTNESS_SECONDS = 60.0
_EXPLANATION_SECONDS = 60.0
_MOST_EVALUATIONS, _FEWEST_EVALUATIONS = 500, 100
_MAPS = 5
"""Maps of an explained sample: its own, that of the original, and three of shuffled weights."""

_PASSES = 49
"""Passes over the samples of a measurement of robustness: sixteen corruptions at three
severities, and the clean ones."""
ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Measured:
    """The results of the measurements; None for one that was not possible.

    Attributes:
        problems: Why one was not possible, by subject.
        evaluations: Bound on scored samples of each explanation; 0 without explanations.
    """

    groups: GroupsResult | None
    robustness: RobustnessResult | None
    explanations: ExplainResult | None
    problems: dict[str, str]
    evaluations: int = 0


class Part(Phase):
    """The progress of one measurement, with a folder of its own to write to."""

    def __init__(self, job: Job, begin: float, end: float, name: str) -> None:
        super().__init__(job, begin, end)
        self._job = job
        self.folder = job.folder / name
        self.folder.mkdir()

    def event(self, name: str, /, **values: object) -> None:
        self._job.event(name, **values)


def measured(options: EvidenceOptions, records: Records, folder: Path, job: Job) -> Measured:
    """Measure the variant on its labelled data; copy the files into the folder of evidence."""
    problems: dict[str, str] = {}
    data, begin = options.data, time.monotonic()
    if data is None:
        hint = "no labelled data: --data FILE, or studio project set MODEL --heldout FILE"
        return Measured(None, None, None, {"quality.metrics": hint})
    part = Part(job, 0.02, 0.4, "groups")
    found = _tried(
        "quality.metrics", problems, lambda: groups(_group_options(options, records, data), part)
    )
    if found is not None:
        _copy(part.folder / TABLE, folder / SAMPLES_FILE)
    damage = Part(job, 0.4, 0.7, "corrupted")
    passes = 1 if records.is_original else 2
    each = (time.monotonic() - begin) / (passes * found.samples) if found is not None else 0.0
    samples = options.corrupted or corrupted_samples(options.samples, each)
    corrupted = _tried(
        "quality.robustness",
        problems,
        lambda: robustness(_robustness_options(options, records, data, samples), damage),
    )
    if corrupted is not None:
        _copy(damage.folder / CORRUPTED, folder / CORRUPTED_FILE)
    explained, evaluations = None, 0
    if options.explanations and found is not None:
        part = Part(job, 0.7, 0.95, "explained")
        table = SampleTable.read(folder / SAMPLES_FILE)
        chosen = chosen_samples(table, options.explanations)
        evaluations = options.evaluations or explained_evaluations(len(chosen), each)
        wanted = _explain_options(options, records, data, chosen, evaluations)
        explained = _tried("explanations", problems, lambda: explain(wanted, part))
        if explained is not None:
            _copy(part.folder / explained.maps, folder / MAPS_FILE)
            _copy(part.folder / explained.output, folder / DRAWING_FILE)
    return Measured(found, corrupted, explained, problems, evaluations)


def corrupted_samples(most: int, seconds: float) -> int:
    """Return how many samples to corrupt, so that a slow model does not take all day.

    Args:
        most: Samples that are measured at all.
        seconds: Time of one sample.
    """
    affordable = _ROBUSTNESS_SECONDS / (_PASSES * max(seconds, 1e-6))
    return min(most, _ROBUSTNESS_SAMPLES, max(_FEWEST_SAMPLES, int(affordable)))


def explained_evaluations(samples: int, seconds: float) -> int:
    """Return how many scored samples an explanation may take, so that a slow model has an end.

    Args:
        samples: Those that are explained.
        seconds: Time of one sample.
    """
    affordable = _EXPLANATION_SECONDS / (_MAPS * max(1, samples) * max(seconds, 1e-6))
    return min(_MOST_EVALUATIONS, max(_FEWEST_EVALUATIONS, int(affordable)))


def _group_options(options: EvidenceOptions, records: Records, data: Path) -> GroupsOptions:
    return GroupsOptions(
        model=records.variant.ref,
        data=data,
        groups=options.groups,
        by=options.by,
        against=None if records.is_original else records.reference.ref,
        samples=options.samples,
        dictionary=options.dictionary,
        label_map=options.label_map,
        outputs=options.outputs,
    )


def _robustness_options(
    options: EvidenceOptions, records: Records, data: Path, samples: int
) -> RobustnessOptions:
    return RobustnessOptions(
        model=records.variant.ref,
        data=data,
        samples=samples,
        dictionary=options.dictionary,
        label_map=options.label_map,
        outputs=options.outputs,
    )


def _explain_options(
    options: EvidenceOptions,
    records: Records,
    data: Path,
    chosen: tuple[str, ...],
    evaluations: int,
) -> ExplainOptions:
    return ExplainOptions(
        model=records.variant.ref,
        data=data,
        sample=chosen,
        evaluations=evaluations,
        against=() if records.is_original else (records.reference.ref,),
        sanity=True,
        labels=options.labels,
        outputs=options.outputs,
        target=None,
    )


def _tried(subject: str, problems: dict[str, str], work: Callable[[], ResultT]) -> ResultT | None:
    """Return the result of a measurement; a failure is a sentence of the dossier."""
    try:
        return work()
    except StudioError as error:
        problems[subject] = f"{error.message} {error.hint}".strip()
        return None


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
