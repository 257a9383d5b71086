"""Lines of the table of all models, as texts and as what they are sorted by."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from studio.features.evidence.survey.views import ModelEvidence
from studio.gui import figures
from studio.gui.widgets.sortable import SortableRow
from studio.workspace import EndpointStates, EndpointStatus

COLUMNS = (
    "Model", "Version", "Sections", "Open", "Worst group", "Figure [95 % CI]", "ECE",
    "Robustness", "State", "Rollbacks", "Overrides", "Incidents", "Evidence",
)  # fmt: skip
NUMERIC = (2, 3, 5, 6, 7, 9, 10)
WIDTHS = (0, 74, 76, 56, 120, 146, 58, 92, 112, 80, 82, 122, 100)
EXTRA = (9, 10, 7, 1, 3, 6)
"""Columns that a narrow table hides, the least important first; the details have them."""

Status = Callable[[ModelEvidence], EndpointStatus]


def worst_status(states: EndpointStates, model: ModelEvidence) -> EndpointStatus:
    """Return the worst state of the endpoints that serve a model."""
    return states.worst(model.targets)


def row_of(model: ModelEvidence, status: EndpointStatus) -> SortableRow:
    """Return the line of a model."""
    version = f"v{model.version} {model.variant_name}" if model.version else model.variant_name
    state = status.word if model.targets else "not served"
    if model.targets and len(status.reasons) > 1:
        state = f"{state}, {len(status.reasons)} alerts"
    written = _since(model.evidence)
    if written == "just now ago":
        written = "just now"
    texts = (
        model.name,
        version,
        f"{model.present} of {model.sections}",
        str(model.open),
        model.worst_group or "not measured",
        worst_text(model),
        figures.NOTHING if model.ece is None else f"{model.ece:.3f}",
        figures.NOTHING if model.robustness is None else f"{100 * model.robustness:.1f} %",
        state,
        str(model.rollbacks),
        figures.NOTHING if model.overrides is None else str(model.overrides),
        incidents_text(model),
        written,
    )
    values = (
        model.name.lower(),
        model.version or 0,
        model.present,
        model.open,
        model.worst_group or None,
        model.worst,
        model.ece,
        model.robustness,
        state,
        model.rollbacks,
        model.overrides,
        _urgency(model),
        model.evidence or None,
    )
    return SortableRow(model.variant, texts, values)


def incidents_text(model: ModelEvidence) -> str:
    """Return the open incidents with the nearest deadline; a dash where none was ever opened."""
    if model.incidents_problem:
        return "file damaged"
    if model.incidents is None:
        return figures.NOTHING
    if not model.incidents:
        return "none open"
    text = f"{model.incidents} open"
    if model.days_left is None:
        return text
    if model.days_left < 0:
        return f"▼ {text}, {-model.days_left} d over"
    return f"{text}, {f'{model.days_left} d left' if model.days_left else 'due today'}"


def _urgency(model: ModelEvidence) -> float | None:
    """Return what incidents are sorted by: the nearest deadline first, none last."""
    if model.incidents is None:
        return None
    return model.days_left if model.days_left is not None else float("inf")


def worst_text(model: ModelEvidence) -> str:
    """Return the figure of the worst group with its interval; a mark where it is too low."""
    if model.worst is None:
        return figures.NOTHING
    mark = "▼ " if model.is_below else ""
    if not 0 <= model.worst <= 1:
        return f"{mark}{model.worst:.3f}"
    text = f"{mark}{100 * model.worst:.1f} %"
    if model.low is None or model.high is None:
        return text
    return f"{text} [{100 * model.low:.0f}–{100 * model.high:.0f}]"


def matches(row: SortableRow, words: Iterable[str]) -> bool:
    """Return whether each word is somewhere in the texts of a line."""
    text = " ".join(row.texts).lower()
    return all(word in text for word in words)


def _since(moment: str) -> str:
    """Return how long ago evidence was written, in its largest unit."""
    if not moment:
        return "never"
    passed = figures.age(moment)
    number, _, rest = passed.partition(" ")
    return f"{number} {rest.split()[0]} ago" if number[:1].isdigit() and rest else passed
