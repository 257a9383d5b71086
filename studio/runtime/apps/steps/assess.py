"""Steps that run a model on numbers: windows of a signal, and rows of measured values."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from ..items import SIGNAL, VALUES, Event, FrameStamp, StepOutput
from ..parts import AppContext, Predictor, StepType, kinds
from ..settings import AppError

_MOST_TOLD = 5


class PredictSettings(NamedTuple):
    """Settings of a model on windows.

    Attributes:
        model: Name of a model of the app.
        layout: Axes of its input: ``samples`` (one channel), ``samples x channels`` or
            ``channels x samples``.
        scale: Multiplies the samples.
    """

    model: str
    layout: str = "samples"
    scale: float = 1.0


_LAYOUTS = ("samples", "samples x channels", "channels x samples")


class Predict:
    """Runs a model on each window of a signal."""

    def __init__(self, name: str, settings: PredictSettings, context: AppContext) -> None:
        """Look up the model.

        Raises:
            AppError: when there is no such model, or no such layout.
        """
        check_layout(name, settings.layout)
        self._predictor = context.predictor(settings.model)
        self._settings = settings

    def process(self, stamp: FrameStamp, value: Any) -> StepOutput:
        """Run the model on one window, samples x channels."""
        window = laid_out(value * np.float32(self._settings.scale), self._settings.layout)
        return StepOutput(values_of(self._predictor.arrays({"": window})))


class AssessSettings(NamedTuple):
    """Settings of an assessment of rows.

    Attributes:
        model: Name of a model with a probability at its end.
        features: Names of the columns, in the order of the model's input.
        least, most: Lowest and highest value of each feature; a row beyond is refused.
        reference: Typical value of each feature, with which an answer is explained; empty: none.
        units: Of the features, for people.
    """

    model: str
    features: Tuple[str, ...]
    least: Tuple[float, ...] = ()
    most: Tuple[float, ...] = ()
    reference: Tuple[float, ...] = ()
    units: Tuple[str, ...] = ()


class Assess:
    """Assesses rows of values: a probability with its decision and its reasons, as an event.

    The reason of an answer is how far the probability changes when one feature at a time is
    replaced by its typical value (occlusion: Zeiler and Fergus, 2014, for features).
    """

    def __init__(self, name: str, settings: AssessSettings, context: AppContext) -> None:
        """Look up the model, and check the lists.

        Raises:
            AppError: for lists of different lengths, and for a model without a probability.
        """
        self._name = name
        self._settings = settings
        for key in ("least", "most", "reference", "units"):
            given = getattr(settings, key)
            if given and len(given) != len(settings.features):
                sentence = "steps.{}: {} needs one value for each of the {} features."
                raise AppError(sentence.format(name, key, len(settings.features)))
        self._predictor: Predictor = context.predictor(settings.model)
        if self._predictor.task != "probability":
            sentence = "steps.{}: by its outputs.toml the model {} gives no probability."
            raise AppError(sentence.format(name, settings.model))

    def process(self, stamp: FrameStamp, value: Any) -> StepOutput:
        """Assess the rows of one piece, samples x features."""
        latest: Optional[Dict[str, float]] = None
        events: List[Event] = []
        for row in np.atleast_2d(value):
            details = self._assessed(row)
            kind = "refused" if "refused" in details else "assessment"
            events.append(Event(kind, self._name, stamp, details))
            if "probability" in details:
                latest = {"probability": float(details["probability"])}
        return StepOutput(latest, tuple(events))

    def _assessed(self, row: np.ndarray) -> Dict[str, Any]:
        features = self._settings.features
        if len(row) != len(features):
            text = "The row has {} values instead of {}.".format(len(row), len(features))
            return {"refused": text}
        given = {name: _number(one) for name, one in zip(features, row)}
        problem = self._problem(row)
        if problem:
            return {"refused": problem, "given": given}
        meaning = self._predictor.arrays({"": row.astype(np.float32)})
        likely = float(meaning["probability"])
        found: Dict[str, Any] = {
            "probability": likely,
            "decision": meaning["decision"],
            "given": given,
        }
        if self._settings.reference:
            found["reasons"] = self._reasons(row, likely)
        return found

    def _problem(self, row: np.ndarray) -> str:
        """Return why a row cannot be assessed; empty when it can."""
        settings = self._settings
        for at, (name, value) in enumerate(zip(settings.features, row.tolist())):
            unit = " " + settings.units[at] if settings.units and settings.units[at] else ""
            if not np.isfinite(value):
                return "{} is missing.".format(name)
            low = settings.least[at] if settings.least else -np.inf
            high = settings.most[at] if settings.most else np.inf
            if not low <= value <= high:
                sentence = "{} is {:g}{}, outside {:g} to {:g}{}."
                return sentence.format(name, value, unit, low, high, unit)
        return ""

    def _reasons(self, row: np.ndarray, likely: float) -> List[Dict[str, Any]]:
        found: List[Dict[str, Any]] = []
        for at, name in enumerate(self._settings.features):
            other = row.copy()
            other[at] = self._settings.reference[at]
            if other[at] == row[at]:
                continue
            meaning = self._predictor.arrays({"": other.astype(np.float32)})
            found.append({"feature": name, "change": round(likely - meaning["probability"], 4)})
        found.sort(key=lambda one: -abs(one["change"]))
        return found[:_MOST_TOLD]


def check_layout(name: str, layout: str) -> None:
    """Refuse a layout that is not known.

    Raises:
        AppError: naming those that are.
    """
    if layout not in _LAYOUTS:
        choice = ", ".join(_LAYOUTS)
        raise AppError("steps.{}: layout is one of: {}.".format(name, choice))


def laid_out(window: np.ndarray, layout: str) -> np.ndarray:
    """Return a window of samples x channels with the axes of a model's input."""
    if layout == "samples":
        return window[:, 0]
    return window.T if layout == "channels x samples" else window


def values_of(meaning: Mapping[str, Any]) -> Dict[str, float]:
    """Return the numbers of a meaning by their names."""
    if "probability" in meaning:
        return {str(meaning.get("label", "probability")): float(meaning["probability"])}
    if "classes" in meaning:
        return {str(one["label"]): float(one["score"]) for one in meaning["classes"]}
    if "values" in meaning:
        rows: Sequence[Mapping[str, Any]] = meaning["values"]
        return {
            str(one.get("name", at)): float(one["value"])
            for at, one in enumerate(rows)
            if one["value"] is not None
        }
    return {name: float(np.ravel(one)[0]) for name, one in meaning.items() if np.size(one)}


def _number(value: Any) -> Optional[float]:
    return round(float(value), 6) if np.isfinite(value) else None


_TYPES = (
    StepType(
        "predict",
        "Run a model on windows of a signal",
        kinds(SIGNAL),
        kinds(VALUES),
        PredictSettings,
        Predict,
        shared=True,
    ),
    StepType(
        "assess",
        "Assess rows of values with a probability, its decision and its reasons",
        kinds(SIGNAL),
        kinds(VALUES),
        AssessSettings,
        Assess,
        shared=True,
    ),
)
TYPES: Dict[str, StepType] = {one.name: one for one in _TYPES}
