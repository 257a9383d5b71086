"""The files of the sample: a fitted model, patients with faulty readings, known decisions."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy
from numpy.typing import NDArray

from studio.api import Progress
from studio.datasets.output_settings import read_outputs
from studio.lazy_dataclass import dataclass
from studio.samples.onnx_graph import GraphValue, OnnxGraph
from studio.samples.triage.patients import SIGNS, Floats, patients

Outcomes = NDArray[numpy.bool_]

_STEPS = 50
_RIDGE = 1.0
"""Keeps the weights of terms finite that few patients have, such as an age below 18."""


INPUT = "signs"
"""Name of the model's input."""


@dataclass(frozen=True, slots=True)
class RiskModel:
    """Log odds = bias + below · max(0, low - x) + above · max(0, x - high).

    Attributes:
        below, above: Weight of each sign for one unit beyond its range.
    """

    bias: float
    below: Floats
    above: Floats

    def risk(self, signs: Floats) -> Floats:
        """Return the probability of each row of vital signs, n x 7."""
        weights = numpy.concatenate([self.below, self.above])
        found: Floats = 1 / (1 + numpy.exp(-(self.bias + _terms(signs) @ weights)))
        return found

    def save(self, path: Path) -> None:
        """Write it as ONNX: input ``signs`` (batch x 7, float32), output ``risk`` (batch x 1)."""
        low = numpy.array([[one.low for one in SIGNS]])
        high = numpy.array([[one.high for one in SIGNS]])
        weights = numpy.concatenate([self.below, self.above])[:, None]
        given = GraphValue(INPUT, ("batch", len(SIGNS)))
        graph = OnnxGraph("risk", [given], [GraphValue("risk", ("batch", 1))])
        graph.add("Sub", [graph.constant("low", low), INPUT], "under")
        graph.add("Sub", [INPUT, graph.constant("high", high)], "over")
        graph.add("Concat", ["under", "over"], "distances", axis=1)
        graph.add("Relu", ["distances"], "terms")
        bias = graph.constant("bias", numpy.array([self.bias]))
        graph.add("Gemm", ["terms", graph.constant("weights", weights), bias], "odds")
        graph.add("Sigmoid", ["odds"], "risk")
        path.write_bytes(graph.model())


def _terms(signs: Floats) -> Floats:
    low = numpy.array([one.low for one in SIGNS])
    high = numpy.array([one.high for one in SIGNS])
    return numpy.concatenate([low - signs, signs - high], axis=1).clip(0)


def fit(signs: Floats, outcomes: Outcomes) -> RiskModel:
    """Return the model of the largest likelihood, by Newton's method (IRLS) with a small ridge."""
    scale = numpy.array([one.spread for one in SIGNS] * 2)
    terms = numpy.column_stack([numpy.ones(len(signs)), _terms(signs) / scale])
    weights = numpy.zeros(terms.shape[1])
    ridge = numpy.full(len(weights), _RIDGE)
    ridge[0] = 0.0
    for _ in range(_STEPS):
        likely = 1 / (1 + numpy.exp(-(terms @ weights)))
        slope = terms.T @ (outcomes - likely) - ridge * weights
        bend = (terms * (likely * (1 - likely))[:, None]).T @ terms
        step = numpy.linalg.solve(bend + numpy.diag(ridge), slope)
        weights += step
        if numpy.abs(step).max() < 1e-10:
            break
    below, above = numpy.split(weights[1:] / scale, 2)
    return RiskModel(float(weights[0]), below, above)


def auc(risks: Floats, outcomes: Outcomes) -> float:
    """Return the area under the ROC curve (Mann and Whitney, 1947), with ties at half."""
    order = numpy.sort(risks[~outcomes])
    ill = risks[outcomes]
    below = numpy.searchsorted(order, ill, "left") + numpy.searchsorted(order, ill, "right")
    return float(below.sum() / 2 / (len(order) * len(ill)))


def auc_interval(
    risks: Floats, outcomes: Outcomes, seed: int, rounds: int = 1000
) -> tuple[float, float]:
    """Return the 95 % interval of the area by the percentile bootstrap (Efron, 1979)."""
    chance = numpy.random.default_rng(seed)
    found = []
    for _ in range(rounds):
        rows = chance.integers(0, len(risks), len(risks))
        found.append(auc(risks[rows], outcomes[rows]))
    low, high = numpy.percentile(found, [2.5, 97.5])
    return float(low), float(high)


def calibration_error(risks: Floats, outcomes: Outcomes, bins: int = 10) -> float:
    """Return the expected calibration error over bins of equally many patients."""
    order = numpy.argsort(risks, kind="stable")
    gaps = [
        abs(risks[rows].mean() - outcomes[rows].mean()) * len(rows)
        for rows in numpy.array_split(order, bins)
    ]
    return float(sum(gaps) / len(risks))


SEED = 20261130
LEARNED, HELD_OUT, ROWS = 20_000, 10_000, 200
JUDGED = 2_000
"""Patients of the data that evidence is measured on."""

_AGES = (("under 40", 40), ("40 to 64", 65), ("65 and older", 1000))
"""Groups of ages, each with the age that ends it."""

_FAULTS: tuple[tuple[int, int, float], ...] = (
    (9, 1, 320.0),
    (34, 4, 12.0),
    (61, 5, 104.0),
    (88, 2, float("nan")),
    (120, 3, 0.0),
    (151, 0, 7.0),
    (187, 6, 19.0),
)
"""Row, sign and value of readings that no patient has: faults of a device or of typing."""


def make(folder: Path, progress: Progress) -> None:
    """Write the model, ``patients.csv``, ``expected.jsonl`` and ``quality.json`` of the sample."""
    write(folder, SEED, progress)


def write(folder: Path, seed: int, progress: Progress) -> RiskModel:
    """Fit a model to the patients of a seed, and write its files; return the model.

    The patients for fitting, for the quality, for the recording and for evidence are four
    different groups.
    """
    progress.progress(0, 3, "Fitting the model")
    model = fit(*patients(seed, LEARNED))
    place = folder / "risk"
    place.mkdir(parents=True, exist_ok=True)
    model.save(place / "model.onnx")
    progress.progress(1, 3, "Measuring its quality")
    quality = _quality(model, seed + 1)
    (folder / "quality.json").write_text(json.dumps(quality, indent=1) + "\n", encoding="utf-8")
    _write_judged(place, seed + 3)
    progress.progress(2, 3, "Writing patients")
    rows = patients(seed + 2, ROWS)[0]
    for row, sign, value in _FAULTS:
        rows[row, sign] = value
    _write_rows(folder / "patients.csv", rows)
    outputs = read_outputs(place / "outputs.toml")
    events = [_event(at, row, model, outputs.refer) for at, row in enumerate(rows)]
    lines = [json.dumps(event) + "\n" for event in events]
    (folder / "expected.jsonl").write_text("".join(lines), encoding="utf-8")
    return model


def _quality(model: RiskModel, seed: int) -> dict[str, float | list[float]]:
    """Return the quality on patients that the fit has not seen."""
    signs, outcomes = patients(seed, HELD_OUT)
    risks = model.risk(signs)
    low, high = auc_interval(risks, outcomes, seed)
    return {
        "patients": HELD_OUT,
        "outcomes": int(outcomes.sum()),
        "auc": round(auc(risks, outcomes), 4),
        "auc_95": [round(low, 4), round(high, 4)],
        "calibration_error": round(calibration_error(risks, outcomes), 4),
    }


def _write_judged(place: Path, seed: int) -> None:
    """Write labelled patients of a fourth group, and the group of ages of each."""
    signs, outcomes = patients(seed, JUDGED)
    labels = outcomes.astype(numpy.int64)
    numpy.savez(place / "heldout.npz", signs=signs.astype(numpy.float32), labels=labels)
    ages = [next(name for name, end in _AGES if age < end) for age in signs[:, 0]]
    lines = ["sample,age", *(f"#{number},{age}" for number, age in enumerate(ages))]
    (place / "groups.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_rows(path: Path, rows: Floats) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow([one.name for one in SIGNS])
        table.writerows([f"{value:g}" for value in row] for row in rows)


def _event(at: int, row: Floats, model: RiskModel, refer: Sequence[float]) -> dict[str, object]:
    """Return the known event of one row, of which one arrives each second."""
    for one, value in zip(SIGNS, row, strict=True):
        if numpy.isnan(value):
            return {"kind": "refused", "at_s": at, "refused": f"{one.name} is missing."}
        if not one.least <= value <= one.most:
            text = f"{one.name} is {value:g} {one.unit}, outside {one.least:g} to {one.most:g}"
            return {"kind": "refused", "at_s": at, "refused": f"{text} {one.unit}."}
    likely = float(model.risk(row[None])[0])
    low, high = refer
    decision = "refer" if low < likely < high else "positive" if likely >= high else "negative"
    return {"kind": "assessment", "at_s": at, "decision": decision}
