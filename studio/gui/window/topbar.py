"""The bar on top: the current model, its variants as chips, the menu of models, search, theme."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QSize, Qt, QTimer, Signal, SignalInstance
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from studio.api.qt import plain_tip
from studio.gui import figures, icons
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, button, clear

if TYPE_CHECKING:
    from studio.gui.shell import WindowParts
    from studio.workspace import VariantRecord

HEIGHT = 48
PADDING = 12
SEARCH_WIDTH, SEARCH_ICON_WIDTH = 312, 40
_NARROW = 1100
"""Pixels of a window below which the search is an icon, and the chips have its room."""

_SEARCH = "Search nodes, actions, targets…"

_MOST = 15
"""Models that the menu lists."""


class Chip(QPushButton):
    """A variant: its name, and smaller its size and what it costs in quality."""

    def __init__(self, variant: VariantRecord, theming: Theming) -> None:
        super().__init__()
        self.variant = variant
        self._theming = theming
        self._detail = chip_detail(variant)
        self._small = QFont(self.font())
        self._small.setPixelSize(11)
        self.setProperty("role", "chip")
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(f"Variant {variant.name}, {self._detail}")
        self.setToolTip(plain_tip(f"{variant.model_name} {variant.name}: {self._detail}"))

    def sizeHint(self) -> QSize:
        wide = QFontMetrics(self.font()).horizontalAdvance(self.variant.name)
        small = QFontMetrics(self._small).horizontalAdvance(self._detail)
        return QSize(wide + small + 6 + 2 * PADDING, 28)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        theme = self._theming.current
        painter = QPainter(self)
        wide = QFontMetrics(self.font()).horizontalAdvance(self.variant.name)
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.setPen(theme.color("text"))
        painter.setFont(self.font())
        painter.drawText(QRect(PADDING, 0, wide + 2, self.height()), left, self.variant.name)
        painter.setPen(theme.color("dim"))
        painter.setFont(self._small)
        painter.drawText(self.rect().adjusted(PADDING + wide + 6, 1, 0, 1), left, self._detail)


def chip_detail(variant: VariantRecord) -> str:
    """Return size, and the change of the metric where it was measured: ``6.1 MB · −0.5 pt``."""
    from studio.quantization.results import figures_of  # not before the first paint

    parts = [figures.size(variant.size)]
    metric = figures_of(variant.summary).metric
    if metric is not None and 0 <= metric.before <= 1 and 0 <= metric.after <= 1:
        parts.append(figures.signed(100 * (metric.after - metric.before), 1, "pt"))
    return " · ".join(parts)


class _Chips(QScrollArea):
    """A row that scrolls sideways by wheel when there are more chips than room."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFixedHeight(HEIGHT - 2)
        inner = QWidget()
        inner.setProperty("role", "scrolled")
        self.row = QHBoxLayout(inner)
        self.row.setContentsMargins(0, 0, 0, 0)
        self.row.setSpacing(GRID)
        self.setWidget(inner)


class TopBar(QFrame):
    """Model, chips, command box, theme and panel switches.

    Signals:
        variant_chosen: Identifier of a variant.
        new_variant, search, help, theme, inspector: The commands of the user.
    """

    variant_chosen = Signal(int)
    new_variant = Signal()
    search = Signal()
    help = Signal()
    theme = Signal()
    inspector = Signal()

    def __init__(self, theming: Theming, models: QMenu) -> None:
        super().__init__()
        self._theming = theming
        self.setProperty("role", "topbar")
        self.setAccessibleName("Model and variants")
        self.setFixedHeight(HEIGHT)
        self._logo = QLabel()
        self.model = QToolButton()
        self.model.setProperty("kind", "quiet")
        self.model.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.model.setMenu(models)
        self.model.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._chips = _Chips()
        self._group = QButtonGroup(self)
        self._search = button(_SEARCH, self.search.emit)
        self._search.setProperty("role", "search")
        self._search.setAccessibleName("Search nodes, actions and targets (Ctrl+K)")
        self._search.setToolTip(plain_tip(self._search.accessibleName()))
        self._search.setFixedWidth(SEARCH_WIDTH)
        self._shortcut = QLabel("Ctrl K", self._search)
        self._shortcut.setProperty("role", "small")
        self._shortcut.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._help = self._tool("Help for this page (F1)", self.help)
        self._theme = self._tool("Light or dark", self.theme)
        self.panel = self._tool("Inspector (Ctrl+I)", self.inspector)
        self._lay_out()
        theming.changed.connect(self.dress)
        self.show_model("", (), None)
        self.dress()

    def show_model(self, name: str, variants: Iterable[VariantRecord], current: int | None) -> None:
        """Show a model's variants; an empty name when none is open."""
        self.model.setText(name or "No model open")
        self.model.setAccessibleName(f"Model {name}" if name else "No model open; choose one")
        for old in self._group.buttons():
            self._group.removeButton(old)
        clear(self._chips.row)
        for variant in variants:
            chip = Chip(variant, self._theming)
            chip.setChecked(variant.id == current)
            chip.clicked.connect(
                lambda _checked=False, number=variant.id: self.variant_chosen.emit(number)
            )
            self._group.addButton(chip)
            self._chips.row.addWidget(chip)
        if name:
            add = button("+ variant", self.new_variant.emit)
            add.setProperty("role", "chip")
            add.setToolTip("Create a variant on the Optimize page")
            self._chips.row.addWidget(add)
        self._chips.row.addStretch(1)

        QTimer.singleShot(0, self, self._reveal_current)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the room of the search to the chips of a narrow window."""
        super().resizeEvent(event)
        narrow = event.size().width() < _NARROW
        self._search.setText("" if narrow else _SEARCH)
        self._search.setFixedWidth(SEARCH_ICON_WIDTH if narrow else SEARCH_WIDTH)
        self._shortcut.setHidden(narrow)
        QTimer.singleShot(0, self, self._reveal_current)

    def _reveal_current(self) -> None:
        """Scroll to the current variant: a row of many chips is wider than the window."""
        if (chip := self._group.checkedButton()) is None:
            return
        self._chips.ensureWidgetVisible(chip, GRID, 0)
        bar = self._chips.horizontalScrollBar()
        # The first chip that is seen is seen whole: half a name reads like another one.
        starts = [one.x() for one in self.chips() if bar.value() <= one.x() <= chip.x()]
        bar.setValue(min(starts, default=bar.value()))

    def chips(self) -> list[Chip]:
        """Return the chips from left to right."""
        return [chip for chip in self._group.buttons() if isinstance(chip, Chip)]

    def dress(self) -> None:
        """Set icons in the theme's colours."""
        theme = self._theming.current
        dim = theme.color("dim")
        ratio = self.devicePixelRatioF()
        self._logo.setPixmap(icons.pixmap("edgewright", dim, 22, ratio))
        self._search.setIcon(icons.icon("search", dim, 16))
        self._help.setIcon(icons.icon("help", dim))
        self._theme.setIcon(icons.icon("sun" if theme.dark else "moon", dim))
        self.panel.setIcon(icons.icon("panel", dim))
        for chip in self.chips():
            chip.update()

    def _tool(self, name: str, signal: SignalInstance) -> QPushButton:
        result = button("", signal.emit, "quiet")
        result.setAccessibleName(name)
        result.setToolTip(plain_tip(name))
        result.setFixedSize(32, 32)
        return result

    def _lay_out(self) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 0, 12, 0)
        layout.setSpacing(GRID)
        layout.addWidget(self._logo)
        layout.addWidget(self.model)
        layout.addSpacing(GRID)
        layout.addWidget(self._chips, 1)
        layout.addWidget(self._search)
        layout.addWidget(self._help)
        layout.addWidget(self._theme)
        layout.addWidget(self.panel)
        inner = QHBoxLayout(self._search)
        inner.setContentsMargins(0, 0, 10, 0)
        inner.addStretch(1)
        inner.addWidget(self._shortcut)


class ModelsMenu(QMenu):
    """The menu of models, filled each time it is shown."""

    def __init__(self, window: WindowParts) -> None:
        super().__init__(window.widget)
        self._window = window
        self.aboutToShow.connect(self._fill)

    def _fill(self) -> None:
        window = self._window
        self.clear()
        self.addAction("Open a model…", window.choose_model)
        close = self.addAction("Close the model", window.current.close)
        close.setEnabled(window.current.variant is not None)
        convert = self.addAction("Convert to another format…", window.exporter.offer)
        convert.setEnabled(_is_exported(window))
        models = sorted(window.workspace.registry.models(), key=lambda model: -model.id)
        if models:
            self.addSeparator()
        for model in models[:_MOST]:
            self.addAction(model.name, partial(window.open_known, model.id))


def _is_exported(window: WindowParts) -> bool:
    variant = window.current.variant
    return variant is not None and not window.workspace.why_not("export", variant)
