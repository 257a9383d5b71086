"""The six figures of an endpoint in one row of fixed height."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.api.qt import plain_tip
from studio.gui import figures
from studio.gui.pages.monitor.quality_rows import ESTIMATE
from studio.gui.widgets.basics import GRID, Card, label, restyle, row
from studio.monitoring.endpoint.generation import GenerationState
from studio.monitoring.endpoint.results import Latency, known
from studio.monitoring.results import TargetSample
from studio.workspace import EndpointState, EndpointStatus

HEIGHT = 9 * GRID
Shown = tuple[str, str, str]
"""A value, its unit and its tone."""


class Figure(QWidget):
    """A figure with its name above and its unit behind."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = label(name, "dim")
        self.value = label(figures.NOTHING, "title")
        self.unit = label("", "dim")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.name)
        both = row(self.value, self.unit, None, spacing=4)
        both.setAlignment(self.unit, Qt.AlignmentFlag.AlignBaseline)
        both.setAlignment(self.value, Qt.AlignmentFlag.AlignBaseline)
        layout.addLayout(both)

    def show_value(self, text: str, unit: str = "", tone: str = "") -> None:
        """Show another value; nothing has no unit."""
        unit = "" if text == figures.NOTHING else unit
        self.value.setText(text)
        self.unit.setText(unit)
        if tone != (self.value.property("tone") or ""):
            restyle(self.value, tone=tone)
        self.value.setAccessibleName(f"{self.name.text()}: {text} {unit}".strip())

    def set_old(self, is_old: bool) -> None:
        """Grey the value, as it is of an earlier time."""
        if is_old != bool(self.value.property("old")):
            restyle(self.value, old=is_old)


_KEYS = ("requests", "p50", "p99", "errors", "accuracy", "drift")
_NAMES = ("Requests", "p50 latency", "p99 latency", "Errors", "Accuracy", "Drift")
_OF_TEXT = ("Tokens", "First token", "Each token", "Running", "Cache", "Drift")
"""Names of the same places for a language model."""


class FiguresStrip(Card):
    """Requests, latencies, errors, accuracy and drift of the newest sample.

    Of a language model: tokens, their times, requests under way, and the cache.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Figures")
        self.figures = {key: Figure(name) for key, name in zip(_KEYS, _NAMES, strict=True)}
        self.body.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        line = row(*self.figures.values(), spacing=2 * GRID)
        for column in range(len(self.figures)):
            line.setStretch(column, 1)
        self.body.addLayout(line)
        self.setFixedHeight(HEIGHT)

    def clear(self) -> None:
        """Forget the values."""
        for figure in self.figures.values():
            figure.show_value(figures.NOTHING)
            figure.set_old(False)

    def show_sample(self, sample: TargetSample, status: EndpointStatus) -> None:
        """Show a sample; those of an endpoint without an answer stay, greyed."""
        is_old = status.state is EndpointState.UNREACHABLE
        for figure in self.figures.values():
            figure.set_old(is_old)
        if is_old:
            return
        names = _NAMES if sample.language is None else _OF_TEXT
        for figure, name in zip(self.figures.values(), names, strict=True):
            figure.name.setText(name)
        if sample.language is not None:
            rows = (*_of_text(sample.language), _drift(sample, status))
            for figure, shown_values in zip(self.figures.values(), rows, strict=True):
                figure.show_value(*shown_values)
            self.figures["accuracy"].setToolTip("")
            return
        latency = sample.latency_ms or Latency()
        shown: dict[str, Shown] = {
            "requests": (figures.rate(known(sample.throughput)), "/s", ""),
            # A server without recent requests reports 0, which is no latency.
            "p50": (figures.milliseconds(latency.p50 or None), "ms", ""),
            "p99": (figures.milliseconds(latency.p99 or None), "ms", ""),
            "errors": _errors(sample),
            "accuracy": _accuracy(sample, status),
            "drift": _drift(sample, status),
        }
        for name, values in shown.items():
            self.figures[name].show_value(*values)
        why = "" if shown["accuracy"][0] != figures.NOTHING else ESTIMATE
        self.figures["accuracy"].setToolTip(plain_tip(why))


def _of_text(state: GenerationState) -> list[Shown]:
    """Return tokens, their times, requests under way, and how full the cache is."""
    waiting = f", {state.waiting} waiting" if state.waiting else ""
    share = state.cache_share
    return [
        (figures.rate(state.tokens_per_s), "/s", ""),
        (figures.milliseconds(state.first_token_ms.p50), "ms", ""),
        (figures.milliseconds(state.token_ms.p50), "ms", ""),
        (str(state.active), f"of {state.slots}{waiting}", "warning" if state.waiting else ""),
        (figures.NOTHING if share is None else f"{100 * share:.0f}", "%", ""),
    ]


def _errors(sample: TargetSample) -> Shown:
    errors, requests = known(sample.errors), known(sample.requests)
    unit = f"of {figures.whole(requests)}" if requests else ""
    return figures.whole(errors), unit, ""


def _accuracy(sample: TargetSample, status: EndpointStatus) -> Shown:
    """Return the accuracy by labels, else the estimate, with half the width of its interval."""
    tone = "warning" if status.state is EndpointState.LOW_ACCURACY else ""
    labels, estimate = sample.labels, sample.drift_state.estimate if sample.drift_state else None
    if labels and labels.matched and labels.accuracy is not None:
        return *_share(labels.accuracy or None, labels.low, labels.high), tone
    if estimate and estimate.accuracy is not None:
        value, unit = _share(estimate.accuracy, estimate.low, estimate.high)
        return value, f"{unit} est.", tone
    return figures.NOTHING, "", ""


def _share(value: float | None, low: float | None, high: float | None) -> tuple[str, str]:
    """Return a share in per cent, and the unit with half the width of its interval."""
    text = figures.NOTHING if value is None else f"{100 * value:.1f}"
    if low is None or high is None:
        return text, "%"
    return text, f"% ±{50 * (high - low):.1f}"


def _drift(sample: TargetSample, status: EndpointStatus) -> Shown:
    """Return how many signals drift; the alarm of all together decides the tone."""
    if not sample.drift:
        return figures.NOTHING, "", ""
    number = sum(signal.drifts for signal in sample.drift)
    alarm = bool(sample.drift_state and sample.drift_state.alarm)
    tone = "warning" if alarm or status.state is EndpointState.DRIFT else ""
    return str(number), f"of {figures.count(len(sample.drift), 'signal')}", tone
