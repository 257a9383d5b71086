"""Statements about quality: metrics, groups, calibration, robustness, explanations, data."""

from __future__ import annotations

from collections.abc import Iterator

from studio.documents.dataclass_json import JsonValue
from studio.features.evidence.dossier.model_facts import calibration_data
from studio.features.evidence.dossier.recorded_quality import recorded_metric
from studio.features.evidence.dossier.statement import (
    Material,
    Picture,
    Statement,
    StatementTable,
    missing,
)
from studio.features.evidence.explanations.results import SampleExplanation
from studio.features.evidence.groups.results import GroupCell, GroupsResult, MeanDifference
from studio.features.evidence.measurements import (
    CORRUPTED_FILE,
    DRAWING_FILE,
    MAPS_FILE,
    SAMPLES_FILE,
    Measured,
)
from studio.features.evidence.recompute import METHODS, EvidenceFolder
from studio.features.evidence.results import Figure

_MOST_GROUPS = 60


def quality_facts(material: Material, measured: Measured) -> Iterator[Statement]:
    """Yield the statements about quality."""
    yield _metrics(material, measured)
    yield _groups(material, measured)
    yield _calibration(material, measured)
    yield _robustness(material, measured)
    yield _explanations(material, measured)
    yield _evaluation_data(material, measured)
    yield calibration_data(material)


def _metrics(material: Material, measured: Measured) -> Statement:
    found = measured.groups
    if found is None:
        why = measured.problems.get("quality.metrics", "")
        return recorded_metric(material) or missing("quality.metrics", why)
    overall = _quality(
        material, found, "quality", f"{found.title}", found.overall, ["overall"], "quality.metrics"
    )
    texts = [f"Measured on {found.samples:,} samples, interval by {found.overall.method}."]
    difference = found.overall.against
    if difference is not None and found.against is not None:
        texts.append(_compared(found.against, difference))
    return Statement(
        "quality.metrics",
        note="measured for this folder",
        paragraphs=tuple(texts),
        figures=(overall,),
    )


def _compared(other: str, found: MeanDifference) -> str:
    if found.value is None or found.low is None or found.high is None:
        return f"No comparison with {other} was possible."
    interval = f"{found.value:+.4f} ({found.low:+.4f} to {found.high:+.4f})"
    word = "A significant" if found.is_significant else "No significant"
    return f"{word} difference to {other} on the same samples: {interval}, by {found.method}."


def _quality(
    material: Material,
    found: GroupsResult,
    identifier: str,
    title: str,
    cell: GroupCell,
    place: list[str | int],
    section: str,
) -> Figure:
    """Return the figure of a group, which follows from the table of samples."""
    return Figure(
        identifier,
        title,
        float("nan") if cell.value is None else cell.value,
        cell.low,
        cell.high,
        count=cell.samples,
        file=SAMPLES_FILE,
        method="quality",
        arguments=_arguments(found, place),
        origin=material.origin(data=material.data_digest),
        section=section,
    )


def _arguments(found: GroupsResult, place: list[str | int]) -> dict[str, JsonValue]:
    by = [column.name for column in found.columns]
    return {"by": by, "seed": found.seed, "least": found.least, "place": place, "value": "value"}


def _groups(material: Material, measured: Measured) -> Statement:
    found = measured.groups
    if found is None or not found.groups:
        why = measured.problems.get("quality.metrics", "no groups: --by label, or a groups.csv")
        return missing("quality.groups", why)
    figures = tuple(
        _quality(
            material,
            found,
            f"groups.{cell.column}.{cell.group}",
            f"{found.title}, {cell.column} {cell.group}",
            cell,
            ["groups", number],
            "quality.groups",
        )
        for number, cell in enumerate(found.groups[:_MOST_GROUPS])
        if cell.value is not None
    )
    empty = [f"{one.column} {one.group}" for one in found.groups if not one.samples]
    texts = [_worst(found)]
    if empty:
        texts.append(f"Groups without a sample: {', '.join(empty)}.")
    return Statement(
        "quality.groups",
        note="measured for this folder",
        paragraphs=tuple(texts),
        figures=figures,
    )


def _worst(found: GroupsResult) -> str:
    worst = found.worst_group
    if worst is None:
        return f"Every group has fewer than {found.least} samples, too few to name the worst."
    word = "significantly" if worst.significant else "not significantly"
    return (
        f"Worst group: {worst.column} {worst.group} with {worst.value:.4f}, {worst.gap:.4f} below "
        f"all samples, {word} below the others (Holm over all groups)."
    )


def _calibration(material: Material, measured: Measured) -> Statement:
    found = measured.groups
    calibration = found.calibration if found else None
    if found is None or calibration is None:
        return missing("quality.calibration", "the model gives no confidences for this data")
    titles = {
        "ece": "Expected calibration error, 15 bins of equal width",
        "ece_mass": "Expected calibration error, bins of equally many samples",
        "mce": "Largest calibration error of a bin",
        "brier": "Brier score",
    }
    figures = tuple(
        Figure(
            f"calibration.{name}",
            title,
            value,
            calibration.low if name == "ece" else None,
            calibration.high if name == "ece" else None,
            count=calibration.samples,
            file=SAMPLES_FILE,
            method="quality",
            arguments={**_arguments(found, ["calibration"]), "value": name},
            origin=material.origin(data=material.data_digest),
            section="quality.calibration",
        )
        for name, title in titles.items()
        if (value := getattr(calibration, name)) is not None
    )
    rows = tuple(
        (f"{one.low:.2f} to {one.high:.2f}", one.samples, one.confidence, one.right)
        for one in calibration.bins
        if one.samples
    )
    table = StatementTable(
        ("confidence", "samples", "mean confidence", "share right"), rows, "Bins", " nnn"
    )
    sentence = f"Confidences follow from the outputs as {found.confidences}."
    return Statement(
        "quality.calibration",
        note="measured for this folder",
        paragraphs=(sentence,),
        tables=(table,),
        figures=figures,
    )


def _robustness(material: Material, measured: Measured) -> Statement:
    found = measured.robustness
    if found is None:
        return missing("quality.robustness", measured.problems.get("quality.robustness", ""))
    figures = tuple(
        Figure(
            f"robustness.{row.family}.{row.corruption}.{row.severity}",
            f"{row.corruption}, severity {row.severity} ({row.family})",
            row.value,
            row.interval.low,
            row.interval.high,
            count=found.samples,
            file=CORRUPTED_FILE,
            method="robustness",
            arguments={
                "corruption": row.corruption,
                "severity": row.severity,
                "seed": found.seed,
                "value": "value",
            },
            origin=material.origin(data=material.data_digest),
            section="quality.robustness",
        )
        for row in found.rows
    )
    sentence = (
        f"{found.title} on {found.samples} samples: {found.clean:.4f} clean, "
        f"{found.robustness.mean:.4f} in the mean over families, {found.robustness.worst:.4f} in "
        f"the worst. Corrupted: {found.applied_to}; seed {found.seed}."
    )
    return Statement(
        "quality.robustness",
        note="measured for this folder",
        paragraphs=(sentence,),
        figures=figures,
    )


def _explanations(material: Material, measured: Measured) -> Statement:
    found = measured.explanations
    if found is None:
        return missing(
            "explanations", measured.problems.get("explanations", "left out: --explanations 0")
        )
    folder = EvidenceFolder(material.folder)
    figures = tuple(
        figure
        for number, sample in enumerate(found.samples)
        for figure in _maps(material, folder, sample, number)
    )
    passed = {True: "passed", False: "failed", None: "not made"}[found.sanity]
    sentence = (
        f"{found.evaluations:,} evaluations with seed {found.seed}. The check with shuffled "
        f"weights was {passed}: maps of a method that looks at the model must change."
    )
    rows = tuple(
        (one.name, one.label, one.score, one.method, one.stability) for one in found.samples
    )
    head = ("sample", "explained", "score", "method", "stability")
    return Statement(
        "explanations",
        note="measured for this folder",
        paragraphs=(sentence, *found.notes),
        tables=(StatementTable(head, rows, "Samples", "  n n"),),
        figures=figures,
        pictures=(Picture(DRAWING_FILE, "two typical samples, then the worst"),),
    )


def _maps(
    material: Material, folder: EvidenceFolder, sample: SampleExplanation, number: int
) -> Iterator[Figure]:
    """Yield the agreement of a sample's map with those of other weights."""
    others = [(f"{sample.name}, agreement with {one.model}", one.map) for one in sample.against]
    if sample.sanity is not None:
        shuffled = f"sample-{number}-shuffled"
        others.append((f"{sample.name}, agreement with a copy of shuffled weights", shuffled))
    for place, (title, other) in enumerate(others):
        arguments = {"first": sample.map, "second": other}
        yield Figure(
            f"explanations.{number}.{place}",
            f"Rank correlation of maps: {title}",
            METHODS["agreement"](folder, MAPS_FILE, arguments),
            file=MAPS_FILE,
            method="agreement",
            arguments=arguments,
            origin=material.origin(data=material.data_digest),
            section="explanations",
        )


def _evaluation_data(material: Material, measured: Measured) -> Statement:
    found = measured.groups
    if found is None or not material.data_digest:
        return missing("data.evaluation", "nothing was measured on labelled data")
    sentence = (
        f"{material.data_name}: {found.samples:,} samples, SHA-256 {material.data_digest}. The "
        "data itself is not in this folder; its labels and the answers are in records/samples.csv."
    )
    return Statement("data.evaluation", note="from the data", paragraphs=(sentence, *found.notes))
