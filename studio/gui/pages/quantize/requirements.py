"""What a quantization lacks before it starts, and the project's data in one line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from studio.datasets.results import DataPreview, DataProblem
from studio.documents.dataclass_json import InvalidDocument, from_json, keyed
from studio.gui import figures
from studio.lazy_dataclass import dataclass
from studio.projects.results import TEXT_RECOGNITION, Project
from studio.quantization.results import PreflightResult

_OF_TEXTS = ("exact", "cer")
_OF_CLASSES = ("top1", "top5", "f1", "auc")
_DICTIONARY = "dictionary.txt"
_FREE = ("none", "cosine", "sqnr")
"""Metrics that need no labels, and none at all."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """Something that is missing for the work, or for what the work is to measure.

    Attributes:
        text: One or two sentences.
        action: The button that leads to the project; empty without one.
        field: The field of the project.
        blocks: Whether nothing can be started without it.
        can_skip: Whether the work can be done without an evaluation instead.
    """

    text: str
    action: str
    field: str
    blocks: bool = True
    can_skip: bool = False


@dataclass(frozen=True, slots=True)
class _Entered:
    """The values of a form that decide on data and metric."""

    data: str | None = None
    eval_data: str | None = None
    heldout_data: str | None = None
    dictionary: str | None = None
    metric: str = "auto"
    max_drop: float | None = None
    chip: str = keyed("for", default="")


@dataclass(frozen=True, slots=True)
class DataChoice:
    """The data and metric that a quantization would use.

    Attributes:
        eval_data: Labelled data: the evaluation data, or else the held-out data.
        heldout_data: Held-out data besides other evaluation data.
        metric: ``auto`` leaves it to the project.
        budget: The accepted metric drop, in the metric's unit.
        chip: Name of the chip that the variant is for; empty for none.
    """

    data: str | None = None
    eval_data: str | None = None
    dictionary: str | None = None
    metric: str = "auto"
    budget: float | None = None
    heldout_data: str | None = None
    chip: str = ""

    @classmethod
    def read(cls, values: Mapping[str, object]) -> DataChoice:
        """Return the choice in the values of a form; the default where a value does not fit.

        Args:
            values: By option, as they were entered.
        """
        given = {name: value for name, value in values.items() if value not in (None, "")}
        try:
            entered = from_json(_Entered, given)
        except InvalidDocument:  # a number that is being typed
            return cls()
        evaluation = entered.eval_data or entered.heldout_data
        return cls(
            entered.data,
            evaluation,
            entered.dictionary or _beside(evaluation),
            entered.metric,
            entered.max_drop,
            entered.heldout_data if entered.heldout_data != evaluation else None,
            entered.chip,
        )

    def metric_for(self, project: Project | None) -> str:
        """Return the metric that is measured; ``auto`` where only the labels decide."""
        if self.metric == "auto" and project is not None and project.metric:
            return project.metric
        return self.metric


def _beside(data: str | None) -> str | None:
    """Return the dictionary next to the data, which a worker finds there, too."""
    if data is None:
        return None
    folder = Path(data) if Path(data).is_dir() else Path(data).parent
    found = folder / _DICTIONARY
    return str(found) if found.is_file() else None


def missing(
    choice: DataChoice,
    project: Project | None,
    preflight: PreflightResult | None,
    *,
    needs_data: bool,
) -> Requirement | None:
    """Return the most important thing that is missing; None where nothing is.

    Args:
        preflight: What the data hold, if that is known.
        needs_data: Whether the preset is calibrated.
    """
    if needs_data and not choice.data:
        return Requirement(
            "Calibrated int8 needs calibration data: about 100 representative samples.",
            "Add calibration data",
            "calibration",
        )
    found = (preflight.data, preflight.eval_data) if preflight is not None else ()
    for field, problem in zip(("calibration", "evaluation"), found, strict=False):
        if isinstance(problem, DataProblem):
            return Requirement(f"{problem.problem} {problem.hint}".strip(), "Change data", field)
    return _for_the_metric(choice, project, preflight)


def _for_the_metric(
    choice: DataChoice, project: Project | None, preflight: PreflightResult | None
) -> Requirement | None:
    """Return what the metric needs: samples with labels, and a list that reads them."""
    metric = choice.metric_for(project)
    kind = _label_kind(preflight)
    if metric in _FREE:
        return None
    reads_texts = metric in _OF_TEXTS or (project is not None and project.task == TEXT_RECOGNITION)
    has_texts = kind == "text" and metric == "auto"
    if (choice.eval_data or kind) and (reads_texts or has_texts) and not choice.dictionary:
        return Requirement(
            "This model reads texts. Set its dictionary to measure exact match.",
            "Add dictionary",
            "dictionary",
            can_skip=True,
        )
    if kind == "text" and metric in _OF_CLASSES:
        return Requirement(
            "The evaluation data has class names as labels, and the metric needs class numbers. "
            "Set a label map, or use numbers.",
            "Add label map",
            "label_map",
            can_skip=True,
        )
    is_known = preflight is not None or not choice.data  # calibration data may have labels, too
    if not choice.eval_data and kind is None and is_known:
        return Requirement(
            "No evaluation data: the metric drop will not be measured.",
            "Add evaluation data",
            "evaluation",
            blocks=choice.budget is not None,
        )
    return None


def _label_kind(preflight: PreflightResult | None) -> str | None:
    """Return the kind of labels that the evaluation, or else the calibration data has."""
    if preflight is None:
        return None
    for data in (preflight.eval_data, preflight.data):
        if isinstance(data, DataPreview):
            return data.labels.kind
    return None


def data_line(
    choice: DataChoice, project: Project | None, preflight: PreflightResult | None
) -> str:
    """Return the project's data in one line: ``calibration.npz, 128 samples · heldout.npz …``."""
    parts = []
    counts = (preflight.data, preflight.eval_data) if preflight is not None else (None, None)
    for title, path, data in (
        ("calibration", choice.data, counts[0]),
        ("evaluation", choice.eval_data, counts[1]),
    ):
        if path:
            count = ""
            if isinstance(data, DataPreview):
                count = f", {figures.count(data.count, 'sample')}"
            parts.append(f"{title} {Path(path).name}{count}")
    if choice.heldout_data:
        parts.append(f"held-out {Path(choice.heldout_data).name}")
    metric = choice.metric_for(project)
    if metric not in ("auto", "none"):
        parts.append(f"metric {metric}")
    elif metric == "none":
        parts.append("no evaluation")
    if choice.budget is not None:
        parts.append(f"metric drop budget {_budget(choice.budget)}")
    if project is not None and project.float_nodes:
        parts.append(f"{figures.count(len(project.float_nodes), 'node')} kept in float")
    if choice.chip:
        parts.append(f"for {choice.chip}")
    return " · ".join(parts) or "no data"


def _budget(budget: float) -> str:
    return f"{100 * budget:.1f} pt" if budget < 1 else f"{budget:g}"
