"""The welcome page: drop or open a model, resume with a recent one, or open a sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from studio.api.qt import plain_tip
from studio.gui import figures, icons
from studio.gui.pages.shared.base import Page
from studio.gui.shell import Shell
from studio.gui.theme import Theming
from studio.gui.widgets.basics import (
    GRID,
    Card,
    ElidedLabel,
    Scroll,
    button,
    clear,
    label,
    restyle,
    row,
)
from studio.workspace import JobFinished, RegistryChanged

if TYPE_CHECKING:
    from studio.workspace import SampleInfo, Workspace

RECENT = 6
PICTURE = 44
COLUMN = 880


class DropZone(QFrame):
    """The area that invites to drop a model; the whole window accepts drops."""

    def __init__(self, theming: Theming, choose: Callable[[], object]) -> None:
        super().__init__()
        self._theming = theming
        self.setProperty("role", "drop")
        self.setAccessibleName("Drop a model here")
        self._icon = QLabel()
        title = label("Drop a model here", "title")
        text = label(
            "ONNX, OpenVINO IR and TFLite are opened. Models of PyTorch, Keras, TensorFlow, "
            "transformers, scikit-learn, LightGBM and XGBoost are converted. Files are checked in "
            "a sandbox and stay on this computer.",
            "dim",
            wrap=True,
        )
        text.setFixedWidth(52 * GRID)
        text.setMinimumHeight(text.heightForWidth(52 * GRID))
        self.choose = button("Open a model…", choose, "primary")
        self.choose.setToolTip("Open a model (Ctrl+O)")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * GRID, 5 * GRID, 4 * GRID, 5 * GRID)
        layout.setSpacing(GRID)
        for item in (self._icon, title, text, self.choose):
            if isinstance(item, QLabel):
                item.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(item, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.insertSpacing(3, GRID)
        theming.changed.connect(self.dress)
        self.dress()

    def light(self, is_lit: bool) -> None:
        """Show that what hangs over the window can be dropped."""
        restyle(self, lit=is_lit)

    def dress(self) -> None:
        """Set the icon in the theme's colour."""
        color = self._theming.current.color("accent")
        self._icon.setPixmap(icons.pixmap("drop", color, 32, self.devicePixelRatioF()))


class SampleTile(QWidget):
    """A sample: its picture, its title, what it shows, and what getting it takes."""

    def __init__(
        self, sample: SampleInfo, theming: Theming, take: Callable[[SampleInfo], None]
    ) -> None:
        super().__init__()
        self._sample, self._theming = sample, theming
        self._picture = QLabel()
        self._picture.setFixedSize(PICTURE, PICTURE)
        self.shows = label(sample.shows or sample.summary, "dim", wrap=True)
        self.source = label(source_of(sample), "small")
        gets = sample.download and sample.ready is None
        self.take = button("Download" if gets else "Open", lambda: take(sample))
        self.take.setAccessibleName(f"{self.take.text()} the sample {sample.title}")
        self.setToolTip(plain_tip(sample.summary))
        texts = QVBoxLayout()
        texts.setSpacing(2)
        for part in (label(sample.title, "strong"), self.shows, self.source):
            texts.addWidget(part)
        layout = row(spacing=12)
        layout.setContentsMargins(0, 4, 0, 4)
        layout.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(texts, 1)
        layout.addWidget(self.take, 0, Qt.AlignmentFlag.AlignTop)
        self.setLayout(layout)
        theming.changed.connect(self.dress)
        self.dress()

    def dress(self) -> None:
        """Draw the picture in the theme's colour."""
        color = self._theming.current.color("accent")
        ratio = self.devicePixelRatioF()
        self._picture.setPixmap(icons.pixmap(self._sample.picture, color, PICTURE, ratio))


def source_of(sample: SampleInfo) -> str:
    """Return where a sample is, or what getting it takes."""
    if not sample.download:
        return "Built in"
    if sample.ready is not None:
        return "Ready"
    return f"Download of {figures.size(sample.size)}" if sample.size else "Download"


class WelcomePage(Page):
    """The page that is shown while no model is open."""

    stage = "welcome"
    title = "Welcome"
    icon = "model"

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__(workspace, shell)
        self.hide_header()
        self.drop = DropZone(shell.theming, shell.choose_model)
        self._recent = Card("Recent models")
        self._samples = Card(
            "Samples", "Each sample has a model, data and a pipeline. Some are apps."
        )
        self._tiles = QVBoxLayout()
        self._tiles.setSpacing(GRID)
        self._samples.body.addLayout(self._tiles)
        self._samples.body.addStretch(1)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(2)
        self._recent.body.addLayout(self._rows)
        self._recent.body.addStretch(1)
        self.add_view("Welcome", self._content())
        self._show_samples()
        self._show_recent()

    def add_panel(self, title: str, panel: QWidget, folded: bool = False) -> int:
        """Add a plugin's panel; the header is there as soon as there is something to choose."""
        self.hide_header(False)
        return super().add_panel(title, panel, folded)

    def take_focus(self) -> None:
        """Enter opens a model."""
        self.drop.choose.setFocus(Qt.FocusReason.OtherFocusReason)

    def on_event(self, event: object) -> None:
        """Refresh the list of recent models after a change, and the samples after a download."""
        if isinstance(event, JobFinished) and event.job.spec.step == "samples-get":
            if self.isVisible():
                self.take_focus()  # a button that goes would pass it on, and the page would scroll
            self._show_samples()
        if isinstance(event, RegistryChanged | JobFinished):
            self._is_stale = True
            if self.isVisible():
                self._show_recent()

    def showEvent(self, event: QShowEvent) -> None:
        """Show the models that came or changed while the page was hidden."""
        super().showEvent(event)
        if self._is_stale:
            self._show_recent()

    def _content(self) -> QWidget:
        column = QWidget()
        column.setMaximumWidth(COLUMN)
        layout = QVBoxLayout(column)
        layout.setContentsMargins(0, 3 * GRID, 0, 3 * GRID)
        layout.setSpacing(2 * GRID)
        layout.addWidget(self.drop)
        pair = row(spacing=2 * GRID)
        pair.addWidget(self._samples, 1)
        pair.addWidget(self._recent, 1)
        layout.addLayout(pair)
        layout.addStretch(1)
        around = QWidget()
        sides = QHBoxLayout(around)
        sides.setContentsMargins(2 * GRID, 0, 2 * GRID, 0)
        sides.addStretch(1)
        sides.addWidget(column, 12)
        sides.addStretch(1)
        scroll = Scroll(margin=0)
        scroll.body.addWidget(around)
        return scroll

    def _show_samples(self) -> None:
        clear(self._tiles)
        for sample in self.workspace.samples():
            self._tiles.addWidget(SampleTile(sample, self.shell.theming, self._open_sample))

    def _open_sample(self, sample: SampleInfo) -> None:
        if sample.ready is not None:
            self.shell.open_model(sample.ready)
        else:
            self.shell.open_sample(sample.name)

    def _show_recent(self) -> None:
        self._is_stale = False
        clear(self._rows)
        models = sorted(self.workspace.registry.models(), key=lambda model: model.id, reverse=True)
        for model in models[:RECENT]:
            self._rows.addWidget(self._recent_row(model.id, model.name, model.created))
        if not models:
            text = "Recent models and their variants appear here."
            self._rows.addWidget(label(text, "dim", wrap=True))

    def _recent_row(self, number: int, name: str, created: str) -> QWidget:
        variants = list(self.workspace.registry.variants(number))
        choose = button(name, lambda: self.shell.select(variants[0].id), "link")
        choose.setEnabled(bool(variants))
        says = f"{figures.count(len(variants), 'variant')} · {figures.moment(created)}"
        choose.setAccessibleName(f"Open {name}, {says}")
        note = ElidedLabel(says, Qt.TextElideMode.ElideRight)
        note.setProperty("role", "dim")
        note.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        result = QWidget()
        result.setLayout(row(choose, note))
        return result
