"""Explained samples next to each other: picture or bars, score, and whether it is right."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QResizeEvent, qRgba
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from studio.features.evidence.explanations.results import (
    Counterfactual,
    ExplainResult,
    SampleExplanation,
)
from studio.features.evidence.pages.charts.feature_bars import LINE, MOST, FeatureBars, TokenShares
from studio.features.evidence.survey.views import MeasuredSamples, SamplePicture
from studio.gui.charts.chart import Chart
from studio.gui.charts.severity_heat import viridis
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, ElidedLabel, clear, label, row

HEIGHT = 152
_SMALL = 64
_LEVELS = 256


def _colors() -> list[int]:
    """Return the colours of all influences: none is clear, the highest is opaque."""
    found = []
    for level in range(_LEVELS):
        color = viridis(level / (_LEVELS - 1))
        found.append(qRgba(color.red(), color.green(), color.blue(), level))
    return found


class MapPicture(QWidget):
    """A picture and one of its maps, painted one over the other."""

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self._theming = theming
        self._picture: SamplePicture | None = None
        self._image, self._heat = QImage(), QImage()
        self._opacity = 0.7
        self.shown_map = ""
        self.setFixedHeight(HEIGHT)
        self.setMinimumWidth(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theming.changed.connect(self.update)

    def show_picture(self, picture: SamplePicture, name: str) -> None:
        """Show a picture with one of its maps; without a map of that name, the picture alone."""
        self._picture = picture
        size = picture.width, picture.height
        self._image = QImage(picture.pixels, *size, 3 * size[0], QImage.Format.Format_RGB888)
        values = picture.maps.get(name)
        self.shown_map = name if values is not None else ""
        self._heat = QImage()
        if values is not None:
            self._heat = QImage(values, *size, size[0], QImage.Format.Format_Indexed8)
            self._heat.setColorTable(_colors())
        self.update()

    def set_opacity(self, share: float) -> None:
        """Show the map more or less clearly, from 0 to 1."""
        self._opacity = share
        self.update()

    def sizeHint(self) -> QSize:
        """Return a size for four next to each other."""
        return QSize(HEIGHT, HEIGHT)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the picture, then the map."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theming.current.color("surface_3"))
        if self._image.isNull():
            return
        size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        left, top = (self.width() - size.width()) / 2, (self.height() - size.height()) / 2
        place = QRectF(left, top, size.width(), size.height())
        is_small = max(self._image.width(), self._image.height()) <= _SMALL
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not is_small)
        painter.drawImage(place, self._image)
        if not self._heat.isNull():
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
            painter.setOpacity(self._opacity)
            painter.drawImage(place, self._heat)


OWN, SHUFFLED = "own", "shuffled"
_TILE, _BARS = 180, 300
_MOST_COLUMNS = 4
_TOKENS = 150
_METHODS = {
    "rise": "RISE",
    "drise": "D-RISE",
    "shapley": "exact Shapley values",
    "kernel-shap": "kernel SHAP",
    "integrated-gradients": "integrated gradients",
    "attention": "attention (no attribution)",
}


class ExplanationTile(QWidget):
    """One sample."""

    def __init__(
        self,
        theming: Theming,
        sample: SampleExplanation,
        picture: SamplePicture | None,
        samples: MeasuredSamples,
    ) -> None:
        super().__init__()
        self.sample = sample
        self._source = picture
        self.picture: MapPicture | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._content(theming))
        outcome, tone = _outcome(sample, samples)
        score = ElidedLabel(f"{sample.label}: {sample.score:.2f}")
        score.setProperty("role", "strong")
        line = row(score, label(outcome, tone=tone))
        line.setStretch(0, 1)
        column.addLayout(line)
        detail = f"{sample.name}, {method_titles(sample.method)}"
        if sample.stability is not None:
            detail += f", stability {sample.stability:.2f}"
        text = ElidedLabel(detail)
        text.setProperty("role", "small")
        column.addWidget(text)
        if sample.counterfactual is not None:
            column.addWidget(_nearest(sample.counterfactual))
        column.addStretch(1)
        self.setAccessibleName(
            f"Sample {sample.name}: {sample.label}, score {sample.score:.2f}, "
            f"{outcome or 'label not known'}"
        )
        self.show_map(OWN)

    def _content(self, theming: Theming) -> QWidget:
        if self.sample.features:
            is_text = self.sample.kind == "text"
            lines = min(len(self.sample.features), MOST) + 2
            height = _TOKENS if is_text else LINE * lines
            chart = Chart(theming, f"Shares of {self.sample.name}", QSize(_BARS - 20, height))
            chart.setFixedHeight(height)
            kind = TokenShares if is_text else FeatureBars
            chart.show_drawing(kind(tuple(self.sample.features)))
            return chart
        self.picture = MapPicture(theming)
        return self.picture

    def show_map(self, which: str) -> None:
        """Show its own map, that of another variant, or that of shuffled weights."""
        if self.picture is None or self._source is None:
            return
        names = {one.model: one.map for one in self.sample.against}
        names |= {OWN: self.sample.map, SHUFFLED: f"{self.sample.map}-shuffled"}
        self.picture.show_picture(self._source, names.get(which, ""))
        self.picture.setAccessibleName(f"Map of {self.sample.name}: {which}")


class ExplanationTiles(QWidget):
    """The tiles in up to four columns."""

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self._theming = theming
        self.tiles: list[ExplanationTile] = []
        self._which, self._opacity = OWN, 0.7
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(GRID + 4)
        self._columns = 0

    def show_result(
        self,
        result: ExplainResult | None,
        pictures: Mapping[str, SamplePicture],
        samples: MeasuredSamples,
    ) -> None:
        """Show the samples of a result."""
        clear(self._grid)
        self.tiles = [
            ExplanationTile(self._theming, one, pictures.get(one.map), samples)
            for one in (result.samples if result is not None else ())
        ]
        self._columns = 0
        self._lay_out()
        self.show_map(self._which)
        self.set_opacity(self._opacity)

    def show_map(self, which: str) -> None:
        """Choose the maps of all tiles."""
        self._which = which
        for tile in self.tiles:
            tile.show_map(which)

    def set_opacity(self, share: float) -> None:
        """Show all maps more or less clearly."""
        self._opacity = share
        for tile in self.tiles:
            if tile.picture is not None:
                tile.picture.set_opacity(share)

    def minimumSizeHint(self) -> QSize:
        """As narrow as one tile."""
        return QSize(_TILE, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose the number of columns."""
        super().resizeEvent(event)
        self._lay_out()

    def _lay_out(self) -> None:
        least = _BARS if any(tile.sample.features for tile in self.tiles) else _TILE
        columns = min(max(self.width() // least, 1), _MOST_COLUMNS)
        rows = -(-len(self.tiles) // columns)
        columns = max(-(-len(self.tiles) // max(rows, 1)), 1)  # no row with one tile of four
        if columns == self._columns:
            return
        self._columns = columns
        for place, tile in enumerate(self.tiles):
            self._grid.addWidget(tile, place // columns, place % columns)
        for column in range(_MOST_COLUMNS):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)


def _outcome(sample: SampleExplanation, samples: MeasuredSamples) -> tuple[str, str]:
    """Return whether the answer to a sample is right, with the tone; empty where not known."""
    known = samples.named(sample.name)
    if known is None:
        return "", ""
    return ("✓ right", "good") if known.is_right else (f"✗ wrong: {known.label}", "bad")


def method_titles(methods: str) -> str:
    """Return methods as people read them: ``RISE, kernel SHAP``."""
    return ", ".join(_METHODS.get(one, one) for one in methods.split(", "))


def _nearest(found: Counterfactual) -> ElidedLabel:
    """Return the most similar sample of another class, with the features that differ."""
    changes = ", ".join(one.name for one in found.changes[:3])
    made = ElidedLabel(
        f"Nearest other class: {found.label} ({found.name}){f', {changes}' if changes else ''}",
        Qt.TextElideMode.ElideRight,
    )
    made.setProperty("role", "small")
    return made
