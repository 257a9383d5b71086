"""The table of samples of a model: answers, figures of the metric, groups."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from studio.api import InvalidData, Progress, Session, UsageError
from studio.datasets.text_lines import text_lines
from studio.evaluation.box_reader import is_box_list
from studio.evaluation.judge import Evaluator
from studio.evaluation.session_pool import answers
from studio.features.evidence.groups.answers import AnswerReader, SampleAnswer, settled
from studio.features.evidence.groups.attributes import (
    BANDS,
    COMPUTED,
    LABEL,
    NUMBERS,
    SCRIPT,
    Band,
    banded,
    script,
)
from studio.features.evidence.groups.group_file import GroupFile
from studio.features.evidence.groups.sample_table import SampleRow, SampleTable
from studio.features.evidence.groups.watched_samples import WatchedSamples
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Grouping:
    """What the samples are grouped by.

    Attributes:
        by: Columns of the report, such as ``script*blur``.
        bands: Their parts, each once.
        file: The file of groups; None without one.
    """

    by: tuple[str, ...]
    bands: tuple[Band, ...]
    file: GroupFile | None

    @classmethod
    def choose(cls, by: Sequence[str], file: GroupFile | None, label: object) -> Grouping:
        """Return the wanted groups; by default all columns of the file, else what labels allow.

        Args:
            label: Label of the first sample.

        Raises:
            UsageError: for a column that neither the file has nor can be computed, or one with two
                numbers of bands.
        """
        wanted = tuple(by) or (file.columns if file else ())
        if not wanted:
            of_texts = "object-size" if is_box_list(label) else "length"
            wanted = (LABEL,) if isinstance(label, int) else (of_texts,)
        own = file.columns if file else ()
        parsed = [[_chosen(band, own) for band in Band.parse(one)] for one in wanted]
        known = {*own, *COMPUTED}
        for band in (band for parts in parsed for band in parts):
            if band.column not in known:
                raise UsageError(
                    f"There are no groups {band.column!r}.",
                    hint=f"Known: {', '.join(sorted(known))}.",
                )
        parts: dict[str, Band] = {}
        for band in (band for bands in parsed for band in bands):
            if parts.setdefault(band.column, band) != band:
                raise UsageError(
                    f"{band.column!r} has two numbers of bands.",
                    hint="Give it the same in each --by.",
                )
        names = ("*".join(band.column for band in bands) for bands in parsed)
        return cls(tuple(dict.fromkeys(names)), tuple(parts.values()), file)

    @property
    def attributes(self) -> tuple[str, ...]:
        """Computed numbers that are needed; a column of the file comes before one."""
        given = self.file.columns if self.file else ()
        return tuple(b.column for b in self.bands if b.column in NUMBERS and b.column not in given)


def _chosen(band: Band, own: Sequence[str]) -> Band:
    """Return a part with its number of bands: 3 for a computed number, none for a file's column."""
    if band.bands is not None:
        return band
    return Band(band.column, BANDS if band.column in NUMBERS and band.column not in own else 0)


def answered(
    session: Session,
    samples: WatchedSamples,
    judge: Evaluator,
    progress: Progress,
) -> tuple[tuple[SampleRow, ...], str]:
    """Run all samples through a model; return a row for each, and what its confidences are.

    Raises:
        InvalidData: when a sample does not fit or has no label.
        UsageError: when the metric has no figure of a single sample.
    """
    rows: list[SampleRow] = []
    readings: list[SampleAnswer] = []
    reader: AnswerReader | None = None
    for index, (sample, outputs) in enumerate(answers(session, samples)):
        progress.progress(index, len(samples))
        name = sample.name or f"#{index}"
        if sample.label is None:
            raise InvalidData(f"Sample {name} has no label.")
        read = judge.read(sample, outputs)
        figure = judge.right(read, sample.label)
        if figure is None:
            raise UsageError(
                f"{judge.metric.title} has no figure of a single sample, so groups have none.",
                hint="Choose another metric: --metric top1.",
            )
        rows.append(SampleRow(name, float(figure), str(sample.label)))
        if judge.boxes is not None:
            readings.append(SampleAnswer(judge.boxes.answer(read)))
            continue
        if reader is None:
            by_class = isinstance(sample.label, int)
            reader = AnswerReader(text_lines(judge.dictionary), by_class)
        readings.append(reader.read(outputs))
    found, kind = settled(readings)
    whole = (
        replace(row, answer=one.answer, confidence=one.confidence, probabilities=one.probabilities)
        for row, one in zip(rows, found, strict=True)
    )
    return tuple(whole), kind


def grouped(
    rows: Sequence[SampleRow], samples: WatchedSamples, grouping: Grouping, whole: bool
) -> SampleTable:
    """Return the table with the groups of each sample.

    Args:
        samples: Those that the rows are of, read once.
        whole: Whether these are all samples of the data.

    Raises:
        InvalidData: when the file of groups and the data do not agree.
    """
    if grouping.file is not None:
        grouping.file.check([row.sample for row in rows], whole)
    columns: dict[str, list[str | None]] = {}
    declared: dict[str, tuple[str, ...]] = {}
    for band in grouping.bands:
        columns[band.column] = _column(band, rows, samples, grouping.file)
        missing = _without_samples(band, columns[band.column], grouping.file)
        if missing:
            declared[band.column] = missing
    filled = (replace(row, groups=_groups_at(columns, i)) for i, row in enumerate(rows))
    return SampleTable(tuple(filled), tuple(columns), declared)


def _groups_at(columns: Mapping[str, Sequence[str | None]], index: int) -> dict[str, str]:
    found = ((name, column[index]) for name, column in columns.items())
    return {name: group for name, group in found if group is not None}


def _column(
    band: Band, rows: Sequence[SampleRow], samples: WatchedSamples, file: GroupFile | None
) -> list[str | None]:
    if file is not None and band.column in file.columns:
        texts = [file.groups[row.sample].get(band.column) for row in rows]
        if not band.bands:
            return texts
        return banded([_number(one, band.column, file.name) for one in texts], band.bands)
    if band.column == LABEL:
        return [row.label for row in rows]
    if band.column == SCRIPT:
        return [script(row.label) for row in rows]
    numbers = samples.numbers[band.column]
    if band.bands:
        return banded(numbers, band.bands)
    return [f"{one:.4g}" for one in numbers]


def _number(text: str | None, column: str, file: str) -> float | None:
    try:
        number = None if text is None else float(text)
    except ValueError:
        number = math.nan
    if number is not None and not math.isfinite(number):
        raise InvalidData(f"{file}: {text!r:.40} in the column {column!r} is no number.")
    return number


def _without_samples(
    band: Band, column: Sequence[str | None], file: GroupFile | None
) -> tuple[str, ...]:
    """Return groups of the file that no evaluated sample has."""
    if file is None or band.column not in file.columns or band.bands:
        return ()
    return tuple(one for one in file.levels(band.column) if one not in set(column))


def compared(table: SampleTable, other: Mapping[str, float]) -> SampleTable:
    """Return the table with the figures of another variant for the same samples.

    Raises:
        InvalidData: when a sample has none.
    """
    missing = next((row.sample for row in table.rows if row.sample not in other), None)
    if missing is not None:
        raise InvalidData(f"The other variant has no answer for the sample {missing[:60]!r}.")
    rows = (replace(row, against=other[row.sample]) for row in table.rows)
    return SampleTable(tuple(rows), table.columns, table.declared)
