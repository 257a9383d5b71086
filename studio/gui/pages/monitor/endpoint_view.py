"""The view of one endpoint: address, state, figures, charts, log, history, quality and drift."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from studio.gui.pages.monitor.address_card import AddressCard
from studio.gui.pages.monitor.drift_card import DriftCard
from studio.gui.pages.monitor.figures_strip import FiguresStrip
from studio.gui.pages.monitor.live_charts import LiveCharts
from studio.gui.pages.monitor.log_card import LogCard
from studio.gui.pages.monitor.quality_card import QualityCard
from studio.gui.pages.monitor.release_rows import ReleaseRow
from studio.gui.pages.monitor.releases_card import ReleasesCard
from studio.gui.pages.monitor.status_card import StatusCard
from studio.gui.shell import Shell
from studio.gui.widgets.basics import GRID, Scroll

_GAP = 12
TOP, CHARTS, LOWER = 23 * GRID, 28 * GRID, 30 * GRID
"""Heights of the rows: nothing moves when values come."""
_WIDE = 960
"""From this width on there are two columns."""


class _Pair(QWidget):
    """Two parts next to each other, or one below the other where the page is narrow.

    Args:
        height: Of each part.
        below: Height of the right part where it is below the other.
    """

    def __init__(self, left: QWidget, right: QWidget, height: int, below: int) -> None:
        super().__init__()
        self._parts = (left, right)
        self._height, self._below = height, below
        self._is_wide: bool | None = None
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(_GAP)
        self.arrange(is_wide=True)

    def arrange(self, *, is_wide: bool) -> None:
        """Put the parts into one row, or into one column."""
        if is_wide == self._is_wide:
            return
        self._is_wide = is_wide
        left, right = self._parts
        self._grid.addWidget(left, 0, 0)
        self._grid.addWidget(right, *((0, 1) if is_wide else (1, 0)))
        self._grid.setColumnStretch(0, 2 if is_wide else 1)
        self._grid.setColumnStretch(1, 1 if is_wide else 0)
        left.setFixedHeight(self._height)
        right.setFixedHeight(self._height if is_wide else self._below)
        self.setFixedHeight(self._height if is_wide else self._height + _GAP + self._below)


class EndpointView(Scroll):
    """Everything about one endpoint, in rows of fixed height.

    Args:
        roll_back: Called with the release that is to serve again.
        start: Starts the server of the target.
        again: Polls at once.
    """

    def __init__(
        self,
        shell: Shell,
        roll_back: Callable[[ReleaseRow], object],
        start: Callable[[], object],
        again: Callable[[], object],
    ) -> None:
        super().__init__(spacing=_GAP)
        self.address = AddressCard(shell)
        self.status = StatusCard(start, again, self._show_drift)
        self.strip = FiguresStrip()
        self.charts = LiveCharts(shell)
        self.log = LogCard(shell.theming)
        self.releases = ReleasesCard(roll_back)
        self.quality = QualityCard(shell)
        self.drift = DriftCard(shell.theming)
        small = QWidget()
        column = QVBoxLayout(small)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(_GAP)
        for card in self.charts.small:
            column.addWidget(card, 1)
        self._pairs = (
            _Pair(self.address, self.status, TOP, 16 * GRID),
            _Pair(self.charts.latency_card, small, CHARTS, CHARTS),
            _Pair(self.log, self.releases, LOWER, 24 * GRID),
        )
        top, middle, lower = self._pairs
        for part in (top, self.strip, middle, lower, self.quality, self.drift):
            self.body.addWidget(part)
        self.body.addStretch(1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Use one column where two would be too narrow."""
        for pair in self._pairs:
            pair.arrange(is_wide=event.size().width() >= _WIDE)
        super().resizeEvent(event)

    def _show_drift(self) -> None:
        self.ensureWidgetVisible(self.drift, 0, 2 * GRID)
        self.drift.table.setFocus(Qt.FocusReason.OtherFocusReason)
