"""Details of a new variant for the window, as a file: its layers, and samples."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy

from studio.api import Array, Dataset, Progress, Sample, Session, Transformed
from studio.datasets.input_preview import drawn
from studio.documents.dataclass_json import to_json
from studio.evaluation.comparison import CEILING_DB
from studio.evaluation.judge import Evaluator
from studio.evaluation.loaded_model import LoadedModel
from studio.jobs import Job
from studio.jobs.phases import Phase
from studio.models.answers import OutputReader
from studio.models.results import Answer
from studio.quantization.results import ComparedSample

FILE = "details.json"
SHOWN = 24
"""Most samples to draw."""

# In the order in which samples are shown.
_STATES = ("lost", "gained", "differs", "agrees")

_LOOKED_AT = 64
"""Number of first samples that are always compared."""


def describe(
    subject: LoadedModel,
    made: Transformed,
    dataset: Dataset | None,
    named: Mapping[str, str],
    judge: Evaluator | None,
    job: Job,
) -> str:
    """Write the file of a new variant below ``job.folder``; returns its name.

    Args:
        dataset: The samples that it was compared on.
        named: Those that were lost or gained.
    """
    samples: list[ComparedSample] = []
    if dataset is not None:
        before, after = subject.session(), subject.session(made.path)
        try:
            phase = Phase(job, 0.97, 0.98, "Drawing samples")
            dictionary = judge.dictionary if judge is not None else None
            samples = disagreements(before, after, dataset, named, dictionary, phase)
        finally:
            before.close()
            after.close()
    return write_details(job.folder, made, samples)


def write_details(folder: Path, made: Transformed, samples: Sequence[ComparedSample]) -> str:
    """Write what is known of the layers and samples; returns the file's name."""
    rows = [
        {**to_json(one), "before": one.before.to_json(), "after": one.after.to_json()}
        for one in samples
    ]
    content = {"layers": [dict(row) for row in made.layers], "samples": rows}
    (folder / FILE).write_text(json.dumps(content), encoding="utf-8")
    return FILE


def disagreements(
    before: Session,
    after: Session,
    dataset: Dataset,
    named: Mapping[str, str],
    dictionary: Path | None,
    progress: Progress,
) -> list[ComparedSample]:
    """Return samples with different answers of the two models, drawn, with both answers.

    Args:
        named: Names of samples with what happened to them (``lost``, ``gained``); behind them come
            those of the first with the largest error.
        dictionary: Characters of a text recogniser.

    Returns:
        The worst first.
    """
    reader = OutputReader(dictionary=_characters(dictionary))
    rows = []
    for index, sample in _chosen(dataset, named):
        progress.progress(index, len(dataset))
        first, second = before.run(sample.feeds), after.run(sample.feeds)
        answers = reader.read(first), reader.read(second)
        rows.append(
            ComparedSample(
                name=sample.name,
                state=named.get(sample.name) or _state(answers),
                label=None if sample.label is None else str(sample.label),
                sqnr_db=_sqnr(first, second),
                input=drawn(sample.feeds),
                before=answers[0],
                after=answers[1],
            )
        )
    rows.sort(key=lambda row: (_STATES.index(row.state), row.sqnr_db))
    return rows[:SHOWN]


def _chosen(dataset: Dataset, named: Mapping[str, str]) -> Iterator[tuple[int, Sample]]:
    wanted = set(list(named)[:SHOWN])
    for index, sample in enumerate(dataset):
        if sample.name in wanted or index < _LOOKED_AT:
            yield index, sample


def _state(answers: tuple[Answer, Answer]) -> str:
    """Return ``agrees`` if text and first class are equal, else ``differs``."""
    before, after = ((answer.text, [one.label for one in answer.classes[:1]]) for answer in answers)
    return "agrees" if before == after else "differs"


def _sqnr(wanted: Mapping[str, Array], found: Mapping[str, Array]) -> float:
    """Return the signal to noise ratio in decibels, of the output with the lowest."""
    ratios = [CEILING_DB]
    for name, array in wanted.items():
        if array.dtype.kind == "f" and array.size and array.shape == found[name].shape:
            reference = array.astype(numpy.float64)
            noise = float(((found[name].astype(numpy.float64) - reference) ** 2).sum())
            signal = float((reference**2).sum())
            if noise:
                ratios.append(10 * math.log10(signal / noise) if signal else -CEILING_DB)
    return min(ratios)


def _characters(path: Path | None) -> Sequence[str]:
    return path.read_text(encoding="utf-8-sig").rstrip("\n").split("\n") if path else ()
