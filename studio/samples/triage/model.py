"""A logistic regression on distances from normal ranges: fit, quality, and ONNX file."""

from __future__ import annotations

from pathlib import Path

import numpy
from numpy.typing import NDArray

from studio.lazy_dataclass import dataclass
from studio.samples.onnx_graph import GraphValue, OnnxGraph
from studio.samples.triage.patients import SIGNS, Floats

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
