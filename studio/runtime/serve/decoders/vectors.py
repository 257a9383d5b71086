"""Answers that are one row of numbers: classes, a probability, values, an embedding."""

from __future__ import annotations

from typing import Dict, List, Mapping, Sequence

import numpy as np

from ..images.answer import probabilities
from ..outputs.detections import sigmoid
from .settings import OutputSettings

Json = Dict[str, object]


def row_of(outputs: Mapping[str, np.ndarray], settings: OutputSettings) -> np.ndarray:
    """Return the numbers of one sample's output, in one row.

    Raises:
        ValueError: when there is no such output, or it holds no numbers.
    """
    name = settings.output or next(iter(outputs), "")
    array = outputs.get(name)
    if array is None or array.dtype.kind not in "fiub" or not array.size:
        raise ValueError("The output {!r} holds no numbers.".format(name))
    return array.reshape(-1).astype(np.float64)


def label(labels: Sequence[str], index: int) -> str:
    """Return the name of a class; its number where it has none."""
    return labels[index] if 0 <= index < len(labels) else str(index)


def short(value: float) -> float:
    """Return a number with few digits, as answers have it; not finite ones as 0."""
    return round(float(value), 6) if np.isfinite(value) else 0.0


def classes(row: np.ndarray, settings: OutputSettings, labels: Sequence[str]) -> Json:
    """Return the likeliest classes, the likeliest first."""
    shares = np.nan_to_num(_activated(row, settings))
    order = np.argsort(-shares, kind="stable")[: min(settings.most, len(shares))]
    found = [
        {"label": label(labels, int(at)), "index": int(at), "score": short(shares[at])}
        for at in order[:_MOST_CLASSES]
    ]
    return {"classes": found}


_MOST_CLASSES = 5


def _activated(row: np.ndarray, settings: OutputSettings) -> np.ndarray:
    if settings.activation == "none":
        return row
    if settings.activation == "sigmoid":
        return sigmoid(row)
    return probabilities(row)


def probability(row: np.ndarray, settings: OutputSettings, labels: Sequence[str]) -> Json:
    """Return the probability of the positive class with the decision on it.

    A row of two or more has the positive class last.
    """
    one = sigmoid(row) if len(row) == 1 and settings.activation in ("sigmoid",) else row
    likely = float((one if len(row) == 1 else _activated(row, settings))[-1])
    low, high = settings.refer or (settings.threshold, settings.threshold)
    found: Json = {"probability": short(likely), "decision": _decision(likely, low, high)}
    if labels:
        found["label"] = labels[-1]
    return found


def _decision(likely: float, low: float, high: float) -> str:
    if low < likely < high:
        return "refer"
    return "positive" if likely >= high else "negative"


def values(row: np.ndarray, settings: OutputSettings, labels: Sequence[str]) -> Json:
    """Return the values of a regression with their names and their unit."""
    found: List[Json] = []
    for at, value in enumerate(row.tolist()):
        one: Json = {"value": value if np.isfinite(value) else None}
        if at < len(labels):
            one["name"] = labels[at]
        if settings.unit:
            one["unit"] = settings.unit
        found.append(one)
    return {"values": found}


def embedding(row: np.ndarray) -> Json:
    """Return a vector with its length."""
    return {"vector": [short(value) for value in row], "norm": short(float(np.linalg.norm(row)))}
