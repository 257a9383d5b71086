"""The card of explanations: maps over their pictures, the overlay, and the sanity check."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QComboBox, QSlider, QVBoxLayout, QWidget

from studio.features.evidence.explanations.results import ExplainResult
from studio.features.evidence.pages.evidence.explanation_tiles import (
    OWN,
    SHUFFLED,
    ExplanationTiles,
    method_titles,
)
from studio.features.evidence.survey.views import MeasuredSamples, SamplePicture
from studio.gui import figures
from studio.gui.charts.severity_heat import viridis
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, Card, ElidedLabel, Hint, label, row

TEXT = (
    "They show which places of a picture, features of a row or tokens of a text a score depends "
    "on. Two typical samples and the two worst take about 10 s."
)
_START = 70


class ScaleBar(QWidget):
    """The colours from low to high influence."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(QSize(90, GRID))
        self.setAccessibleName("Colours from low to high influence")

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the scale."""
        colors = QLinearGradient(0, 0, self.width(), 0)
        for step in range(5):
            colors.setColorAt(step / 4, viridis(step / 4))
        QPainter(self).fillRect(QRectF(self.rect()), colors)


class ExplanationsCard(Card):
    """The newest explanations of a variant.

    Signals:
        wanted: The user wants samples to be explained.
    """

    wanted = Signal()

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self.setAccessibleName("Explanations")
        self.title = label("Explanations", "heading")
        self.detail = ElidedLabel("", Qt.TextElideMode.ElideRight)
        self.detail.setProperty("role", "dim")
        self.map = QComboBox()
        self.map.setAccessibleName("Map")
        self.map.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.overlay = QSlider(Qt.Orientation.Horizontal)
        self.overlay.setRange(0, 100)
        self.overlay.setValue(_START)
        self.overlay.setFixedWidth(96)
        self.overlay.setAccessibleName("Opacity of the maps in percent")
        self._overlay_title = label("Overlay", "dim")
        self._overlay_title.setBuddy(self.overlay)
        self.tiles = ExplanationTiles(theming)
        self.sanity = label("", wrap=True)
        self._scale = QWidget()
        self._scale.setLayout(
            row(label("low", "small"), ScaleBar(), label("high influence", "small"))
        )
        self.hint = Hint("Nothing explained yet", TEXT, "Explain samples", self.wanted.emit)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.tiles)
        foot = row(self.sanity, self._scale, spacing=2 * GRID)
        foot.setStretch(0, 1)
        column.addLayout(foot)
        column.addStretch(1)
        self._content = content
        head = row(self.title, self.detail, self.map, self._overlay_title, self.overlay)
        head.setStretch(1, 1)
        self.body.addLayout(head)
        for widget in (content, self.hint):
            self.body.addWidget(widget)
        self.overlay.valueChanged.connect(lambda value: self.tiles.set_opacity(value / 100))
        self.map.currentIndexChanged.connect(
            lambda _: self.tiles.show_map(str(self.map.currentData() or OWN))
        )
        self.show_result(None, "", {}, MeasuredSamples())

    def show_result(
        self,
        result: ExplainResult | None,
        at: str,
        pictures: Mapping[str, SamplePicture],
        samples: MeasuredSamples,
    ) -> None:
        """Show the newest explanations; none without a result."""
        has_pictures = bool(pictures)
        for widget in (self.map, self._overlay_title, self.overlay, self._scale):
            widget.setVisible(has_pictures)
        self._content.setVisible(result is not None)
        self.hint.setVisible(result is None)
        self.tiles.show_result(result, pictures, samples)
        if result is None:
            self.detail.setText("")
            return
        self.detail.setText(f"{method_titles(result.method)}, {figures.moment(at)}")
        self._offer_maps(result)
        self._show_sanity(result)

    def _offer_maps(self, result: ExplainResult) -> None:
        before = self.map.currentData()
        self.map.blockSignals(True)
        self.map.clear()
        self.map.addItem(result.model, OWN)
        for name in dict.fromkeys(one.model for each in result.samples for one in each.against):
            self.map.addItem(name, name)
        if result.sanity is not None:
            self.map.addItem("shuffled weights", SHUFFLED)
        self.map.setCurrentIndex(max(self.map.findData(before), 0))
        self.map.blockSignals(False)
        self.tiles.show_map(str(self.map.currentData()))

    def _show_sanity(self, result: ExplainResult) -> None:
        """Show the check with shuffled weights, and the agreement with another variant."""
        checks = [one.sanity for one in result.samples if one.sanity is not None]
        texts = list(result.notes)
        if checks:
            mean = sum(one.mean for one in checks) / len(checks)
            text = "✓ Sanity check passed: the maps change when the weights are shuffled"
            if not result.sanity:
                text = "✗ Sanity check failed: the maps stay alike with shuffled weights"
            texts.insert(0, f"{text} (rank correlation {_signed(mean)}).")
        compared: dict[str, list[float]] = {}
        for sample in result.samples:
            for one in sample.against:
                compared.setdefault(one.model, []).append(one.rank_correlation)
        for name, values in compared.items():
            agreement = _signed(sum(values) / len(values))
            texts.append(f"Agreement with the maps of {name}: rank correlation {agreement}.")
        if not checks:
            texts.append("No sanity check was made.")
        self.sanity.setText(" ".join(texts))


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")
