"""The metrics of a variant, read from the evaluations of its derived variants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from studio.documents.dataclass_json import InvalidDocument, from_json
from studio.gui import figures
from studio.gui.pages.shared.quality import measured
from studio.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from studio.evaluation.results import MetricChange
    from studio.workspace import VariantRecord, Workspace


@dataclass(frozen=True, slots=True)
class QuantizeRequest:
    """The options of a run that this page shows."""

    data: Path | None = None
    eval_data: Path | None = None
    heldout_data: Path | None = None
    samples: int | None = None
    max_drop: float | None = None

    @classmethod
    def read(cls, options: Mapping[str, object]) -> QuantizeRequest:
        """Return what recorded options say; nothing where a later studio spells them otherwise."""
        try:
            return from_json(cls, options)
        except InvalidDocument:
            return cls()

    @classmethod
    def of(cls, workspace: Workspace, variant: VariantRecord) -> QuantizeRequest:
        """Return the options of the run that made a variant."""
        runs = workspace.registry.runs("quantize", variant.id, most=1)
        return cls.read(runs[0].options if runs else {})


def evaluated_on(metric: MetricChange, asked: QuantizeRequest) -> str:
    """Return the data of a metric: ``heldout.npz, 450 samples``; empty where that is not known.

    Args:
        asked: The options that its step was given.
    """
    path = asked.heldout_data or asked.eval_data or asked.data
    count = figures.count(metric.samples, "sample") if metric.samples else ""
    return ", ".join(text for text in (path.name if path else "", count) if text)


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
    variant: VariantRecord,
    variants: Iterable[VariantRecord],
    asked: Mapping[int, QuantizeRequest],
) -> list[Baseline]:
    """Return the evaluations of a variant as a parent, the newest first, each once.

    Args:
        variants: All of the model.
        asked: The options of the run that made each, by its number.
    """
    found: dict[Baseline, None] = {}
    for child in sorted(variants, key=lambda one: one.id, reverse=True):
        metric = measured(child)
        if child.parent == variant.id and metric is not None:
            data = evaluated_on(metric, asked[child.id]) if child.id in asked else ""
            found[Baseline(metric.heading, metric.before, data)] = None
    return list(found)
