"""Results of measurements as a worker returns them, small enough to be read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy

from studio.documents.dataclass_json import to_json
from studio.evaluation.results import RuntimeVersion
from studio.features.evidence.explanations.results import (
    ExplainResult,
    FeatureShare,
    MapComparison,
    SampleExplanation,
    SanityCheck,
)
from studio.features.evidence.groups.results import (
    Calibration,
    CalibrationBin,
    GroupCell,
    GroupColumn,
    GroupsResult,
    Interval,
    MeanDifference,
    WorstGroup,
)
from studio.features.evidence.groups.sample_table import SampleRow, SampleTable
from studio.features.evidence.robustness.results import (
    CorruptionRow,
    FamilyFigures,
    RobustnessResult,
)
from studio.registry import Registry, VariantRecord

LEAST = 5


def difference(value: float, p: float = 0.4) -> MeanDifference:
    """A difference of two means with a narrow interval."""
    return MeanDifference(value, value - 0.04, value + 0.04, p, "test", p)


def cell(column: str, group: str, value: float | None, samples: int = 40) -> GroupCell:
    """The figure of a group."""
    low = None if value is None else max(value - 0.05, 0.0)
    high = None if value is None else min(value + 0.05, 1.0)
    rest = None if value is None else difference(value - 0.9)
    return GroupCell(column, group, samples, value, low, high, "Wilson", rest)


def groups_result(count: int = 2, required: float | None = None) -> GroupsResult:
    """Groups of a device and of an age; the portable device is the worst."""
    cells = [cell("device", "fixed", 0.95), cell("device", "portable", 0.8)]
    cells += [cell("age", f"group {number}", 0.9) for number in range(max(count - 2, 0))]
    worst = WorstGroup("device", "portable", 40, 0.8, 0.8, 0.75, 0.85, True, 0.1)
    bins = (
        CalibrationBin(0.5, 0.6, 10, 0.55, 0.5),
        CalibrationBin(0.9, 1.0, 70, 0.97, 0.95),
    )
    calibration = Calibration(80, 0.03, 0.01, 0.05, 0.02, 0.03, 0.1, 0.08, 0.93, 0.9, bins)
    names = dict.fromkeys(one.column for one in cells)
    return GroupsResult(
        model="digits:fp32",
        metric="top1",
        title="Top-1 accuracy",
        samples=80,
        overall=cell("", "", 0.9, 80),
        columns=tuple(GroupColumn(name, 2, 0) for name in names),
        groups=tuple(cells),
        worst_group=worst,
        calibration=calibration,
        confidences="softmax",
        against=None,
        table="0" * 64,
        seed=0,
        least=LEAST,
        required=required,
        passed=required is None or required <= 0.8,
    )


def robustness_result() -> RobustnessResult:
    """Two corruptions at two severities."""
    rows = tuple(
        CorruptionRow(family, name, severity, value, Interval(0.7, 0.9, "t"), difference(-0.1))
        for family, name, severity, value in (
            ("noise", "gaussian noise", 1, 0.9),
            ("noise", "gaussian noise", 3, 0.7),
            ("blur", "defocus", 1, 0.85),
            ("blur", "defocus", 3, 0.6),
        )
    )
    return RobustnessResult(
        model="digits:fp32",
        metric="top1",
        title="Top-1 accuracy",
        samples=80,
        clean=0.95,
        interval=Interval(0.9, 0.99, "t"),
        robustness=FamilyFigures(0.76, 0.72, noise=0.8, blur=0.72),
        rows=rows,
        applied_to="pictures in the input",
        low=0.0,
        high=1.0,
        severities=(1, 3),
        seed=0,
        attack=None,
        required=None,
        passed=True,
    )


def explain_result(
    maps: Path, names: Sequence[str] = ("#0", "#1"), *, passed: bool = True, rows: bool = False
) -> ExplainResult:
    """Explanations of pictures with maps in a file, or of rows of features."""
    features = (FeatureShare("age", 40.0, 0.3), FeatureShare("weight", 70.0, -0.1))
    samples = tuple(
        SampleExplanation(
            name=name,
            kind="row" if rows else "picture",
            method="shapley" if rows else "rise",
            label=f"class {number}",
            class_number=number,
            score=0.9,
            reference_score=0.1,
            evaluations=100,
            seconds=0.1,
            map=f"sample-{number}",
            stability=0.98,
            features=features if rows else (),
            against=(MapComparison("digits:int8", 0.88, 0.9, 0.8, f"sample-{number}-int8"),),
            sanity=SanityCheck((0.1,), 0.1 if passed else 0.9, passed),
        )
        for number, name in enumerate(names)
    )
    _write_maps(maps, len(samples), pictures=not rows)
    return ExplainResult(
        model="digits:fp32",
        digest="0" * 64,
        data="data.npz",
        data_digest="0" * 64,
        method=samples[0].method,
        target="local",
        backend=RuntimeVersion("onnxruntime", "1"),
        seed=0,
        reference="mean",
        evaluations=200,
        seconds=1.0,
        samples=samples,
        output="explanation.png",
        maps=str(maps),
        maps_digest="0" * 64,
        sanity=passed,
    )


def _write_maps(file: Path, count: int, *, pictures: bool) -> None:
    found = {}
    for number in range(count):
        values = numpy.linspace(-0.2, 1, 12).reshape(3, 4)
        found[f"sample-{number}"] = values
        found[f"sample-{number}-int8"] = values[::-1]
        found[f"sample-{number}-shuffled"] = values.T.reshape(3, 4)
        if pictures:
            found[f"sample-{number}-pixels"] = numpy.full((3, 4, 3), 80, numpy.uint8)
    numpy.savez(file, **found)  # type: ignore[arg-type]


def sample_table() -> SampleTable:
    """Four samples, of which the last is wrong."""
    return SampleTable(
        tuple(
            SampleRow(
                sample=f"#{number}",
                value=float(number != 3),
                label=str(number),
                answer=str(number if number != 3 else 9),
                confidence=0.9 - number / 10,
                groups={"device": "fixed" if number < 2 else "portable"},
            )
            for number in range(4)
        ),
        ("device",),
    )


def record(
    registry: Registry,
    variant: VariantRecord,
    folder: Path,
    groups: GroupsResult | None = None,
    explained: ExplainResult | None = None,
) -> None:
    """Record measurements of a variant, as their steps do."""
    if groups is not None:
        table = folder / f"samples-{variant.id}.csv"
        sample_table().write(table)
        kept = {"samples": registry.adopt(table)}
        registry.add_run("groups", variant.id, {"by": ["device"]}, to_json(groups), kept)
        registry.add_run("robustness", variant.id, {}, to_json(robustness_result()))
    if explained is not None:
        registry.add_run("explain", variant.id, {}, to_json(explained))
