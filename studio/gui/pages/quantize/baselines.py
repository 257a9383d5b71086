"""What is known of a variant's quality from the evaluation of those that were made from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.gui import figures
from studio.gui.pages.shared.quality import measured, metric_name

if TYPE_CHECKING:
    from studio.workspace import VariantRecord

_DATA = ("heldout_data", "eval_data", "data")
"""Options of the step, the one first whose samples the verdict is of."""

Json = Mapping[str, Any]


def evaluated_on(values: Json, asked: Json) -> str:
    """The data of a metric: ``heldout.npz, 450 samples``; empty where that is not known.

    Args:
        values: The metric.
        asked: The options that its step was given.
    """
    name = next((Path(str(asked[key])).name for key in _DATA if asked.get(key)), "")
    samples = figures.number(values.get("samples"))
    count = "" if samples is None else figures.count(int(samples), "sample")
    return ", ".join(text for text in (name, count) if text)


@dataclass(frozen=True, slots=True)
class Baseline:
    """A metric of a model as it was before something was made from it.

    Attributes:
        title: Of the metric.
        data: What it was measured on; empty where that is not known.
    """

    title: str
    value: float
    data: str

    @property
    def text(self) -> str:
        """The value alone."""
        return figures.metric_value(self.value)

    @property
    def sentence(self) -> str:
        """The value with its data."""
        return f"{self.text} on {self.data}" if self.data else self.text


def baselines(
    variant: VariantRecord, variants: Iterable[VariantRecord], asked: Mapping[int, Json]
) -> list[Baseline]:
    """What was measured of a variant when others were made from it; the newest first, each once.

    Args:
        variants: All of the model.
        asked: The options of the run that made each, by its number.
    """
    found: dict[Baseline, None] = {}
    for child in sorted(variants, key=lambda one: one.id, reverse=True):
        values = measured(child)
        before = figures.number(values.get("before"))
        if child.parent == variant.id and before is not None:
            data = evaluated_on(values, asked.get(child.id, {}))
            found[Baseline(metric_name(values), before, data)] = None
    return list(found)
