"""A preset as a card: what it does, and the predicted size, speed and accuracy risk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QRadioButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from studio.api.qt import plain_tip
from studio.gui.pages.quantize.outlook import UNKNOWN, Prediction, PresetOutlook
from studio.gui.widgets.basics import GRID, Pill, label, restyle, row

if TYPE_CHECKING:
    from studio.gui.theme import Theming
    from studio.workspace import PresetEntry

ROWS = ("Size", "Speed", "Accuracy")
_PARTS = 3
_BAR_HEIGHT = 6
_WAITING = Prediction(UNKNOWN, "")
_SUMMARY_HEIGHT = 32
"""Of two lines, so that all cards are alike."""


class Meter(QWidget):
    """A bar from one share of its width to another, or a risk as filled parts of three."""

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self._theming = theming
        self._shown = _WAITING
        self.setFixedHeight(_BAR_HEIGHT)
        self.setMinimumWidth(3 * GRID)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theming.changed.connect(self.update)

    def show_prediction(self, prediction: Prediction) -> None:
        """Show another value."""
        self._shown = prediction
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the ground, and the part that is filled."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        shown, width = self._shown, float(self.width())
        if shown.level:
            part = (width - 2 * (_PARTS - 1)) / _PARTS
            for index in range(_PARTS):
                token = (shown.tone or "accent") if index < shown.level else "surface_3"
                self._fill(painter, token, index * (part + 2), part)
            return
        self._fill(painter, "surface_3", 0, width)
        if shown.high:
            left = shown.low * width
            self._fill(painter, shown.tone or "accent", left, max(shown.high * width - left, 4))

    def _fill(self, painter: QPainter, token: str, left: float, width: float) -> None:
        painter.setBrush(self._theming.current.color(token))
        painter.drawRoundedRect(QRectF(left, 0, width, self.height()), 3, 3)


class PresetCard(QFrame):
    """One preset, chosen by a click anywhere on it or by its radio button.

    Signals:
        chosen: The preset's name.
    """

    chosen = Signal(str)

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self.name = ""
        self._entry: PresetEntry | None = None
        self._is_recommended = self._is_narrow = False
        self.setProperty("role", "preset")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.radio = QRadioButton("")
        self.radio.setAutoExclusive(False)  # the cards are, which are no siblings of it
        self.recommended = Pill("Recommended", "accent")
        self.summary = label("", "small", wrap=True)
        self.summary.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.summary.setMinimumHeight(_SUMMARY_HEIGHT)
        self.meters = tuple(Meter(theming) for _ in ROWS)
        self.texts = tuple(label(UNKNOWN, "strong") for _ in ROWS)
        self._build()
        self.radio.clicked.connect(lambda _checked: self._choose())

    def _build(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        for y, title in enumerate(ROWS):
            grid.addWidget(label(title, "dim"), y, 0)
            grid.addWidget(self.meters[y], y, 1, Qt.AlignmentFlag.AlignVCenter)
            grid.addWidget(self.texts[y], y, 2, Qt.AlignmentFlag.AlignRight)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 12, 12)
        layout.setSpacing(6)
        layout.addLayout(row(self.radio, self.recommended, None))
        layout.addWidget(self.summary)
        layout.addStretch(1)
        layout.addLayout(grid)

    def show_preset(self, entry: PresetEntry, outlook: PresetOutlook, recommended: bool) -> None:
        """Show a preset with its predictions."""
        self.name = entry.name
        self.radio.setText(entry.title)
        self._entry, self._is_recommended = entry, recommended
        self._show_recommendation()
        self.setToolTip(plain_tip(entry.hardware))
        lines = (outlook.size, outlook.speed, outlook.accuracy)
        for title, prediction, meter, text in zip(
            ROWS, lines, self.meters, self.texts, strict=True
        ):
            meter.show_prediction(prediction)
            text.setText(prediction.text)
            text.setToolTip(plain_tip(prediction.basis))
            restyle(
                text,
                role="strong" if prediction.is_known else "dim",
                tone=prediction.tone,
            )
            text.setAccessibleName(f"{title}: {prediction.text}. {prediction.basis}")
        said = "; ".join(f"{title} {line.text}" for title, line in zip(ROWS, lines, strict=True))
        self.radio.setAccessibleDescription(f"{entry.summary} {said}.")

    def set_narrow(self, narrow: bool) -> None:
        """Put the recommendation into the summary where there is no room behind the title."""
        self._is_narrow = narrow
        self._show_recommendation()

    def _show_recommendation(self) -> None:
        if self._entry is not None:
            in_text = self._is_recommended and self._is_narrow
            self.recommended.setVisible(self._is_recommended and not self._is_narrow)
            self.summary.setText(("Recommended. " if in_text else "") + self._entry.summary)

    def set_chosen(self, chosen: bool) -> None:
        """Show whether this preset is the chosen one."""
        self.radio.setChecked(chosen)
        restyle(self, lit="true" if chosen else "false")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the preset."""
        if event.button() is Qt.MouseButton.LeftButton:
            self._choose()
            self.radio.setFocus()

    def _choose(self) -> None:
        self.chosen.emit(self.name)
