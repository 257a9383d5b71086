"""The state of each subject of evidence before a folder is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from studio.features.evidence.dossier.market_facts import market_facts
from studio.features.evidence.dossier.model_facts import calibration_data, model_facts
from studio.features.evidence.dossier.operation_facts import operation_facts
from studio.features.evidence.dossier.outline import Requested, WrittenAnswer, stated
from studio.features.evidence.dossier.recorded_quality import recorded_metric
from studio.features.evidence.dossier.statement import (
    Cell,
    Material,
    Statement,
    StatementTable,
    missing,
)
from studio.features.evidence.explanations.results import ExplainResult
from studio.features.evidence.frameworks.subjects import subjects
from studio.features.evidence.groups.results import GroupCell, GroupsResult
from studio.features.evidence.records.records import Records
from studio.features.evidence.robustness.results import RobustnessResult
from studio.lazy_dataclass import dataclass

NOT_MEASURED = {
    "quality.metrics": "not measured: studio groups MODEL",
    "quality.groups": "not measured: studio groups MODEL",
    "quality.calibration": "not measured: studio groups MODEL",
    "quality.robustness": "not measured: studio robustness MODEL",
    "explanations": "not measured: studio explain MODEL",
    "data.evaluation": "nothing was measured on labelled data",
}
_HEAD = ("figure", "samples", "value", "low", "high")


@dataclass(frozen=True, slots=True)
class LastMeasurements:
    """The newest measurements that the registry has of a variant.

    Attributes:
        times: UTC time of each, by ``groups``, ``robustness`` and ``explain``.
    """

    groups: GroupsResult | None
    robustness: RobustnessResult | None
    explanations: ExplainResult | None
    times: Mapping[str, str]


def survey(
    records: Records,
    measured: LastMeasurements,
    answers: Mapping[str, WrittenAnswer],
    requests: Mapping[str, Requested],
) -> Mapping[str, Statement]:
    """Return the statement about each subject, in the order of the catalogue.

    Nothing is measured: quality is present where an earlier measurement was recorded.
    """
    material = Material(records, Path(), "")
    made = {
        one.subject: one
        for one in (
            *model_facts(material),
            *_quality(material, measured),
            *operation_facts(material),
            *market_facts(material),
        )
    }
    return {
        name: stated(one, made.get(name), answers.get(name), requests.get(name))
        for name, one in subjects().items()
    }


def _quality(material: Material, last: LastMeasurements) -> Iterator[Statement]:
    """Yield the statements about quality, each with the day of its measurement."""
    yield _overall(material, last)
    yield _groups(last)
    yield _calibration(last)
    yield _robustness(last)
    yield _explanations(last)
    yield _evaluation_data(material, last)
    yield calibration_data(material)


def _measured(
    subject: str, last: LastMeasurements, step: str, table: StatementTable, *texts: str
) -> Statement:
    note = f"measured {last.times[step][:10]}"
    return Statement(subject, note=note, paragraphs=texts, tables=(table,))


def _overall(material: Material, last: LastMeasurements) -> Statement:
    found = last.groups
    if found is None:
        why = NOT_MEASURED["quality.metrics"]
        return recorded_metric(material) or missing("quality.metrics", why)
    table = _table((_row(found.title, found.overall),))
    return _measured("quality.metrics", last, "groups", table)


def _groups(last: LastMeasurements) -> Statement:
    found = last.groups
    if found is None or not found.groups:
        return missing("quality.groups", NOT_MEASURED["quality.groups"])
    rows = tuple(_row(f"{one.column}: {one.group}", one) for one in found.groups)
    return _measured("quality.groups", last, "groups", _table(rows))


def _table(rows: tuple[tuple[Cell, ...], ...]) -> StatementTable:
    return StatementTable(_HEAD, rows, numbers=" nnnn")


def _row(title: str, cell: GroupCell) -> tuple[Cell, ...]:
    return title, cell.samples, cell.value, cell.low, cell.high


def _calibration(last: LastMeasurements) -> Statement:
    found = last.groups.calibration if last.groups else None
    if found is None:
        return missing("quality.calibration", NOT_MEASURED["quality.calibration"])
    rows = (
        ("Expected calibration error", found.samples, found.ece, found.low, found.high),
        ("Largest error of a bin", found.samples, found.mce, None, None),
        ("Brier score", found.samples, found.brier, None, None),
    )
    return _measured(
        "quality.calibration", last, "groups", StatementTable(_HEAD, rows, numbers=" nnnn")
    )


def _robustness(last: LastMeasurements) -> Statement:
    found = last.robustness
    if found is None:
        return missing("quality.robustness", NOT_MEASURED["quality.robustness"])
    rows = tuple(
        (
            f"{one.corruption}, severity {one.severity}",
            found.samples,
            one.value,
            one.interval.low,
            one.interval.high,
        )
        for one in found.rows
    )
    return _measured(
        "quality.robustness", last, "robustness", StatementTable(_HEAD, rows, numbers=" nnnn")
    )


def _explanations(last: LastMeasurements) -> Statement:
    found = last.explanations
    if found is None:
        return missing("explanations", NOT_MEASURED["explanations"])
    rows = tuple((one.name, one.label, one.score, one.method) for one in found.samples)
    table = StatementTable(("sample", "explained", "score", "method"), rows, "Samples", "  n ")
    return _measured("explanations", last, "explain", table)


def _evaluation_data(material: Material, last: LastMeasurements) -> Statement:
    data = material.records.project.usable("heldout", "evaluation")
    if last.groups is None:
        return missing("data.evaluation", NOT_MEASURED["data.evaluation"])
    name = Path(data[0]).name if data else "data"
    text = f"{name}: {last.groups.samples:,} samples."
    return Statement("data.evaluation", note="from the data", paragraphs=(text,))
