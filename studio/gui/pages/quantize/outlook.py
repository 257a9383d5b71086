"""Predictions for a preset: size, speed and accuracy risk, each with its basis in words."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from studio.gui import figures
from studio.gui.pages.shared.quality import measured
from studio.lazy_dataclass import dataclass
from studio.quantization.results import (
    QuantizeResult,
    SensitivityResult,
    SpeedupOutlook,
    figures_of,
)

if TYPE_CHECKING:
    from studio.evaluation.results import MetricChange
    from studio.workspace import PresetEntry, SizeEstimate, VariantRecord

UNKNOWN = "not known"
WIDEST_SPEED = 4.0
"""The speed-up at the right end of a bar."""

_NARROW = 0.2
"""A range of speed-ups below which one decimal would hide it."""

_HEAD = ("title", "summary", "hardware", "layers")
_OWN = ("keep",)
"""Options that no preset which ships has; a variant with them was made with a changed one."""

_CALIBRATED = "static-int8"
_POOR_DB, _GOOD_DB = 10.0, 20.0
"""Below the first, no tested task works (``quantization.advice``); the second is ten times less
noise."""

_SMALL_DROP, _LARGE_DROP = 0.01, 0.03


@dataclass(frozen=True, slots=True)
class Prediction:
    """One line of a card.

    Attributes:
        basis: Where it comes from, or why nothing is known; one sentence.
        low, high: Ends of the bar, as shares of its width; equal for no bar.
        level: Filled parts of three, for a risk; 0 for a plain bar.
    """

    text: str
    basis: str
    tone: str = ""
    low: float = 0.0
    high: float = 0.0
    level: int = 0

    @property
    def is_known(self) -> bool:
        """Whether there is a figure."""
        return self.text != UNKNOWN


@dataclass(frozen=True, slots=True)
class PresetOutlook:
    """The three predictions of a card."""

    size: Prediction
    speed: Prediction
    accuracy: Prediction

    @property
    def basis(self) -> str:
        """Where the figures come from, in three sentences."""
        return " ".join((self.size.basis, self.speed.basis, self.accuracy.basis))


def made_with(entry: PresetEntry, variants: Iterable[VariantRecord]) -> VariantRecord | None:
    """Return the newest variant that was made with a preset as it is; None without one."""
    for variant in sorted(variants, key=lambda one: one.id, reverse=True):
        if variant.parent is not None and _is_unchanged(entry, figures_of(variant.summary)):
            return variant
    return None


def _is_unchanged(entry: PresetEntry, made: QuantizeResult) -> bool:
    try:
        wanted = tomllib.loads(entry.text)
    except tomllib.TOMLDecodeError:
        return False
    if not made.preset or any(made.preset.get(key) for key in _OWN) or made.search is not None:
        return False
    values = {key: value for key, value in wanted.items() if key not in _HEAD}
    return all(made.preset.get(key) in (value, str(value)) for key, value in values.items())


def size(estimate: SizeEstimate | None, made: VariantRecord | None, before: int) -> Prediction:
    """Return the size that a variant will have, or has.

    Args:
        made: A variant that exists already.
        before: Bytes of the float model.
    """
    if made is not None:
        text = _change(before, made.size)
        share = made.size / before if before else 1.0
        return Prediction(text, f"Size of the file of {made.name}.", high=min(share, 1.0))
    if estimate is None:
        return Prediction(UNKNOWN, "The size is not known for this method.")
    text = _change(before, estimate.after)
    basis = f"Size predicted from {figures.size(estimate.converted)} of weights that change."
    return Prediction(text, basis, high=min(estimate.ratio, 1.0))


def _change(before: int, after: int) -> str:
    """Return two sizes, with the unit once where it is the same: ``117.0 → 35.1 kB``."""
    first, last = figures.size(before), figures.size(after)
    unit = first.rpartition(" ")[2]
    return f"{first.removesuffix(f' {unit}') if last.endswith(unit) else first} → {last}"


def speed(
    outlook: SpeedupOutlook | None, made: VariantRecord | None, is_here: bool, hardware: str
) -> Prediction:
    """Return the speed-up over the float model.

    Args:
        outlook: Of the pre-flight check; None where the method has none, or it has not run.
        is_here: Whether the chip is that of this computer, on which all is measured.
        hardware: The preset's own words on where it pays.
    """
    if not is_here:
        return Prediction(UNKNOWN, "Speed is measured on the target: Profile does that.")
    known = figures_of(made.summary) if made is not None else QuantizeResult()
    if made is not None and known.latency_ratio:
        low, high = known.latency_interval or (known.latency_ratio,) * 2
        return _speed(low, high, f"Speed of {made.name}, measured on this computer.")
    if outlook is not None and outlook.share != 0 and (outlook.share or outlook.tried):
        how = "a trial" if outlook.tried else "layers timed alone"
        return _speed(outlook.low, outlook.high, f"Speed from {how} on this computer.")
    return Prediction(UNKNOWN, f"Speed is not known before it is measured. {hardware}".strip())


def _speed(low: float, high: float, basis: str) -> Prediction:
    """Return a range of speed-ups from one of time ratios."""
    slowest, fastest = 1 / high, 1 / low
    decimals = 1 if fastest - slowest > _NARROW else 2
    texts = f"{slowest:.{decimals}f}", f"{fastest:.{decimals}f}"
    text = f"{texts[0]} to {texts[1]}×" if texts[0] != texts[1] else f"{texts[0]}×"
    tone = "bad" if fastest < 1 else ""
    left, right = (min(end / WIDEST_SPEED, 1.0) for end in (slowest, fastest))
    return Prediction(text, basis, tone, left, right)


def accuracy(
    entry: PresetEntry,
    made: VariantRecord | None,
    sensitivity: SensitivityResult | None,
    budget: float | None,
) -> Prediction:
    """Return the risk for the accuracy, from what was measured.

    Args:
        sensitivity: Of the float model's layers, if it was measured.
        budget: The accepted metric drop, in the metric's unit.
    """
    metric = measured(made) if made is not None else None
    if made is not None and metric is not None:
        return _measured(made, metric, budget)
    layers = sensitivity.layers if sensitivity is not None else ()
    if entry.method == _CALIBRATED and layers:
        noise = sum(10 ** (-layer.sqnr_db / 10) for layer in layers)
        decibels = -10 * math.log10(noise)
        level = 1 if decibels >= _GOOD_DB else 2 if decibels >= _POOR_DB else 3
        basis = f"Risk from the sensitivity of {len(layers)} layers: together {decibels:.0f} dB."
        return _risk(level, basis)
    return Prediction(UNKNOWN, "Accuracy is not known before it is measured.")


def _measured(made: VariantRecord, metric: MetricChange, budget: float | None) -> Prediction:
    if budget is not None:
        level = 1 if metric.drop <= budget else 3
    else:
        level = 1 if metric.drop <= _SMALL_DROP else 2 if metric.drop <= _LARGE_DROP else 3
    change = figures.metric_change(metric.before, metric.after)
    return _risk(level, f"Risk from {made.name}: {metric.heading} {change}.")


def _risk(level: int, basis: str) -> Prediction:
    word, tone = {1: ("low", "good"), 2: ("medium", "warning"), 3: ("high", "bad")}[level]
    return Prediction(f"{word} risk", basis, tone, level=level)


def outlook_of(
    entry: PresetEntry,
    model: VariantRecord,
    variants: Iterable[VariantRecord],
    estimates: Mapping[str, SizeEstimate | None],
    speedup: SpeedupOutlook | None,
    sensitivity: SensitivityResult | None,
    *,
    is_here: bool,
    budget: float | None,
) -> PresetOutlook:
    """Return what is known of a preset for a float model.

    Args:
        variants: All of the model.
        estimates: Predicted sizes by name of the preset.
    """
    made = made_with(entry, (one for one in variants if one.parent == model.id))
    return PresetOutlook(
        size(estimates.get(entry.name), made, model.size),
        speed(speedup, made, is_here, entry.hardware),
        accuracy(entry, made, sensitivity, budget),
    )
