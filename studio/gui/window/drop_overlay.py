"""The overlay while files are dragged over the window: it names what the drop will do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from studio.gui import figures, icons
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, label, restyle
from studio.lazy_dataclass import dataclass
from studio.settings import full_path

_WIDTH = 520
_MARGIN = 3 * GRID
_MOST_SUFFIXES = 4
_DIMMED = 0.72


@dataclass(frozen=True, slots=True)
class DropOutcome:
    """The outcome of a drop, before it is made.

    Attributes:
        models: The files that it opens, or the one app; empty where it opens nothing.
    """

    title: str
    text: str
    models: tuple[Path, ...] = ()


def outcome_of(paths: Sequence[Path], suffixes: Sequence[str]) -> DropOutcome:
    """Return what a drop would do; a folder counts as the one model in it.

    Args:
        suffixes: How files of models end.
    """
    whole = _whole_folder(paths[0]) if len(paths) == 1 else None
    if whole is not None:
        return whole
    found = [_models_of(path, tuple(suffixes)) for path in paths]
    models = tuple(models[0] for models in found if len(models) == 1)
    others = [path for path, models in zip(paths, found, strict=True) if len(models) != 1]
    if not models:
        most = max(map(len, found))
        return _conversion(others, most) or _refusal(others, most, suffixes)
    title = f"Open {len(models)} models" if len(models) > 1 else f"Open {models[0].name}"
    text = "It is checked in a sandbox and stays on this computer."
    if len(models) > 1:
        text = "They are checked in a sandbox and stay on this computer."
    if others:
        rest = others[0].name if len(others) == 1 else figures.count(len(others), "file")
        text = f"Not a model, and not opened: {rest}."
    return DropOutcome(title, text, models)


def _conversion(paths: Sequence[Path], most: int) -> DropOutcome | None:
    """Return what a drop of another framework's model does: it is converted, or explained."""
    from studio.workspace import source_format  # nothing is dropped before the window is shown

    source = source_format(paths[0]) if len(paths) == 1 and not most else None
    if source is None:
        return None
    text = f"It is {source.title}. Drop it to see how it is converted."
    return DropOutcome(f"Not ONNX yet: {paths[0].name}", text, (paths[0],))


def _app(path: Path) -> DropOutcome | None:
    """Return what a drop of an app does, its folder or its ``app.toml``."""
    from studio.workspace import is_app

    if not is_app(path):
        return None
    name = path.name if path.is_dir() else full_path(path).parent.name
    return DropOutcome(f"Open the app {name}", "It is checked, and does not run yet.", (path,))


def _whole_folder(path: Path) -> DropOutcome | None:
    """Return what a drop of something with several files does, if it is known as one thing."""
    return _app(path) or _language_model(path) or _folder_with_onnx(path)


def _language_model(path: Path) -> DropOutcome | None:
    """Return what a drop of a language model's folder does."""
    from studio.workspace import entry_file

    if not path.is_dir() or entry_file(path) == path:
        return None
    text = "Its tokenizer and its chat template are taken along. The template is never run."
    return DropOutcome(f"Open the language model {path.name}", text, (path,))


def _folder_with_onnx(path: Path) -> DropOutcome | None:
    """Return what a drop of a model's whole folder does: its labels and settings come along."""
    from studio.workspace import source_format

    source = source_format(path) if path.is_dir() else None
    if source is None or source.id != "hugging-face-onnx":
        return None
    text = f"It is {source.title}. Its labels and its preprocessing are taken along."
    return DropOutcome(f"Open {path.name}", text, (path,))


def _refusal(paths: Sequence[Path], most: int, suffixes: Sequence[str]) -> DropOutcome:
    """Return why nothing is opened.

    Args:
        most: The number of models in the folder that has most of them.
    """
    if most:
        return DropOutcome(f"More than one model in {paths[0].name}", "Drop the file of one model.")
    names = figures.count(len(paths), "file") if len(paths) > 1 else paths[0].name
    is_folder = len(paths) == 1 and paths[0].is_dir()
    title = f"No model in {names}" if is_folder else f"Not a model: {names}"
    return DropOutcome(title, f"Models end in {', '.join(suffixes[:_MOST_SUFFIXES])}.")


def _models_of(path: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """Return the file itself if it is a model, or the models that lie directly in a folder."""
    from studio.workspace import models_in

    if not path.is_dir():
        return [path] if path.name.lower().endswith(suffixes) else []
    return models_in(path, suffixes)


class DropOverlay(QFrame):
    """The overlay over the whole window; it lets the drag through to what is below.

    Args:
        suffixes: Returns how files of models end.
    """

    def __init__(
        self, theming: Theming, parent: QWidget, suffixes: Callable[[], Sequence[str]]
    ) -> None:
        super().__init__(parent)
        self._theming, self._suffixes = theming, suffixes
        self.setProperty("role", "overlay")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._icon = QLabel()
        self.title = label("", "title", wrap=True)
        self.text = label("", "dim", wrap=True)
        self.card = QFrame()
        self.card.setProperty("role", "drop")
        self.card.setFixedWidth(_WIDTH)
        inner = QVBoxLayout(self.card)
        inner.setContentsMargins(4 * GRID, 5 * GRID, 4 * GRID, 5 * GRID)
        inner.setSpacing(GRID)
        for item in (self._icon, self.title, self.text):
            item.setAlignment(Qt.AlignmentFlag.AlignCenter)
            inner.addWidget(item)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        layout.addWidget(self.card, 0, Qt.AlignmentFlag.AlignCenter)
        self.hide()

    def show_drag(self, paths: Sequence[Path]) -> None:
        """Name what a drop of files would do; without files the drag has ended."""
        if paths:
            self.show_outcome(outcome_of(paths, self._suffixes()))
        else:
            self.hide()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Dim what is below."""
        ground = self._theming.current.color("background")
        ground.setAlphaF(_DIMMED)
        QPainter(self).fillRect(self.rect(), ground)

    def show_outcome(self, outcome: DropOutcome) -> None:
        """Name what a drop would do."""
        accepted = bool(outcome.models)
        self._theming.dress(self)
        self.title.setText(outcome.title)
        self.text.setText(outcome.text)
        self.setAccessibleName(f"{outcome.title}. {outcome.text}")
        restyle(self.card, lit=accepted)
        color = self._theming.current.color("accent" if accepted else "warning")
        name = "drop" if accepted else "close"
        self._icon.setPixmap(icons.pixmap(name, color, 32, self.devicePixelRatioF()))
        parent = self.parentWidget()
        if parent is not None:
            self.setGeometry(parent.rect())
        self.show()
        self.raise_()
