"""What the inspector shows on demand: the values of a constant, the text of an operator."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Generic

import shiboken6
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.api.inspection import OperatorDoc
from studio.api.qt import plain_tip
from studio.gui import figures
from studio.gui.names import shown
from studio.gui.pages.model.query_cache import AnswerT, QueryCache
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, FieldList, clear, label
from studio.gui.widgets.elided_text import ElidedButton
from studio.models.results import ConstantResult

_BARS_HEIGHT = 56
_PREVIEW = 16
_NAME_WIDTH = 88

_BROKEN_LINE = re.compile(r"\n(?=\w)")
"""A line's end in the middle of a paragraph; lists and formulas begin with something else."""


class Histogram(QWidget):
    """Bars of equal width over a range of values."""

    def __init__(
        self, theming: Theming, counts: Sequence[int], edges: Sequence[float], name: str
    ) -> None:
        super().__init__()
        self._theming = theming
        self._counts = counts
        self.setFixedHeight(_BARS_HEIGHT)
        least, most = (f"{edge:.4g}" for edge in edges)
        self.setAccessibleName(f"Histogram of {name} from {least} to {most}")
        self.setToolTip(plain_tip(f"{sum(counts):,} values from {least} to {most}"))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the bars; what occurs at all is at least a pixel high."""
        painter = QPainter(self)
        theme, most = self._theming.current, max(self._counts, default=0)
        step, base = self.width() / max(len(self._counts), 1), self.height() - 1
        for place, count in enumerate(self._counts):
            high = max(count / most * base, 1.0) if count else 0.0
            bar = QRectF(place * step + 0.5, base - high, max(step - 1, 1.0), high)
            painter.fillRect(bar, theme.color("accent"))
        painter.fillRect(QRectF(0, base, self.width(), 1), theme.color("border_strong"))


class Detail(QWidget, Generic[AnswerT]):
    """A button that runs a query, and below it the answer.

    Args:
        title, name: Of the button, for the eye and for screen readers.
        options: The options of the query.
    """

    def __init__(
        self, lookups: QueryCache[AnswerT], title: str, name: str, options: Mapping[str, object]
    ) -> None:
        super().__init__()
        self._lookups = lookups
        self._title = title
        self._options = options
        self.toggle = ElidedButton("", self._flip, name)
        self.toggle.setCheckable(True)
        self.content = QWidget()
        self.body = QVBoxLayout(self.content)
        self.body.setContentsMargins(0, 0, 0, GRID)
        self.body.setSpacing(6)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.toggle)
        layout.addWidget(self.content)
        self._flip()

    def unfold(self) -> None:
        """Show the answer."""
        self.toggle.setChecked(True)
        self._flip()

    def _flip(self) -> None:
        is_open = self.toggle.isChecked()
        self.toggle.set_text(f"{'▾' if is_open else '▸'} {self._title}")
        self.content.setVisible(is_open)
        if is_open:
            clear(self.body)
            self.body.addWidget(label("Loading…", "small"))
            self._lookups.query(self._on_answer, **self._options)

    def _on_answer(self, answer: AnswerT | None) -> None:
        if not shiboken6.isValid(self) or not self.toggle.isChecked():
            return  # another node is shown by now
        clear(self.body)
        if answer is None:
            self.body.addWidget(label("This information is not available.", "small", wrap=True))
        else:
            self.show_answer(answer)

    def show_answer(self, answer: AnswerT) -> None:
        """Fill the body."""
        raise NotImplementedError


class ConstantDetail(Detail[ConstantResult]):
    """Figures, histogram and first values of a constant."""

    def __init__(
        self, lookups: QueryCache[ConstantResult], theming: Theming, model: str, name: str
    ) -> None:
        self._theming = theming
        self._name = name
        options = {"model": model, "name": name}
        super().__init__(lookups, shown(name), f"Values of {shown(name)}", options)

    def show_answer(self, answer: ConstantResult) -> None:
        """Fill the body."""
        if answer.edges is not None:
            bars = Histogram(self._theming, answer.histogram, answer.edges, self._name)
            self.body.addWidget(bars)
        self.body.addWidget(FieldList(list(_figures(answer).items()), _NAME_WIDTH))
        values = [_number(value) for value in answer.preview[:_PREVIEW]]
        more = answer.read > len(values)
        text = label(", ".join(values) + (", …" if more else ""), "mono", wrap=True)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        text.setAccessibleName(f"First values of {self._name}")
        self.body.addWidget(text)


class OperatorDetail(Detail[OperatorDoc]):
    """The documentation of an operator in a version of its operator set."""

    def __init__(
        self, lookups: QueryCache[OperatorDoc], model: str, operator: str, version: int
    ) -> None:
        options = {"model": model, "operator": operator, "version": version}
        name = f"Documentation of {operator}"
        super().__init__(lookups, "Documentation", name, options)

    def show_answer(self, answer: OperatorDoc) -> None:
        """Fill the body."""
        if not answer.text:
            self.body.addWidget(label("No documentation for this operator.", "small", wrap=True))
            return
        for text in answer.text.split("\n\n"):
            self._paragraph(_BROKEN_LINE.sub(" ", text.strip("\n")))
        for title, entries in (
            ("Inputs", answer.inputs),
            ("Outputs", answer.outputs),
            ("Attributes", answer.attributes),
        ):
            if entries:
                self.body.addWidget(label(title, "dim"))
            for name, text in entries:
                self._paragraph(f"{name}: {' '.join(text.split())}")
        self.body.addWidget(label(f"As of operator set {answer.since}", "small"))

    def _paragraph(self, text: str) -> None:
        shown = label(text, "small", wrap=True)
        shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.body.addWidget(shown)


def _figures(answer: ConstantResult) -> dict[str, str]:
    found = {"Values": f"{answer.read:,}"}
    if answer.histogram:
        found |= {
            "Range": f"{_number(answer.min)} … {_number(answer.max)}",
            "Mean": f"{_number(answer.mean)} ± {_number(answer.std)}",
        }
    found["Zeros"] = f"{100 * answer.zeros:.1f} %"
    if answer.not_finite:
        found["Not finite"] = figures.count(answer.not_finite, "value")
    return found


def _number(value: object) -> str:
    text = f"{value:.4g}" if isinstance(value, int | float) else str(value)
    return text.replace("-", figures.MINUS)
