"""The editor of a path: a field that takes a drop, and a button that browses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
)

from studio.api import Kind, Option
from studio.gui.forms.editors import Editor
from studio.gui.widgets.basics import restyle

_DATA_FILES = "Data (*.npz *.npy *.mp4 *.avi *.mkv *.mov *.webm *.m4v);;All files (*)"


class PathEditor(Editor):
    """A file or folder: typed, browsed for, or dropped."""

    wide = True
    verb = "Choose"

    def __init__(self, option: Option) -> None:
        super().__init__(option)
        self.line = QLineEdit()
        self.line.setPlaceholderText(self._placeholder())
        self.line.setClearButtonEnabled(True)
        self.line.textChanged.connect(self.changed)
        self.line.returnPressed.connect(self.submitted)
        self.line.setAcceptDrops(False)  # so that the whole editor takes the drop
        self.button = QPushButton("Browse…")
        self.button.setAccessibleName(f"Browse for {option.label.lower()}")
        self.button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._connect_button()
        self._zone = QFrame()
        self._frame()
        self._name(self.line)
        self.setAcceptDrops(option.kind is not Kind.OUTPUT)
        self.set_value(option.default)

    def _frame(self) -> None:
        """Data is most often dropped, so its editor looks like a place to drop on."""
        roomy = self.option.kind is Kind.DATA
        self._zone.setProperty("role", "drop" if roomy else "")
        margin = 8 if roomy else 0
        row = QHBoxLayout(self._zone)
        row.setContentsMargins(margin, margin, margin, margin)
        row.setSpacing(8)
        row.addWidget(self.line)
        row.addWidget(self.button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._zone)

    def _placeholder(self) -> str:
        return {
            Kind.DATA: "Drop samples here",
            Kind.FOLDER: "Drop a folder here",
            Kind.FILE: "Drop a file here",
            Kind.OUTPUT: "Output path",
        }.get(self.option.kind, "")

    def _connect_button(self) -> None:
        if self.option.kind is Kind.DATA or self.option.folders:
            is_data = self.option.kind is Kind.DATA
            menu = QMenu(self.button)
            menu.addAction("Folder of samples…" if is_data else "Folder…", self._browse_folder)
            menu.addAction("File (.npz, .npy, video)…" if is_data else "File…", self._browse_file)
            self.button.setMenu(menu)
        elif self.option.kind is Kind.FOLDER:
            self.button.clicked.connect(self._browse_folder)
        elif self.option.kind is Kind.OUTPUT:
            self.button.clicked.connect(self._browse_output)
        else:
            self.button.clicked.connect(self._browse_file)

    def _browse_folder(self) -> None:
        self._accept(QFileDialog.getExistingDirectory(self, self.option.label, self._start()))

    def _browse_file(self) -> None:
        kinds = _DATA_FILES if self.option.kind is Kind.DATA else ""
        self._accept(QFileDialog.getOpenFileName(self, self.option.label, self._start(), kinds)[0])

    def _browse_output(self) -> None:
        self._accept(QFileDialog.getSaveFileName(self, self.option.label, self._start())[0])

    def _start(self) -> str:
        return self.line.text() or str(Path.home())

    def _accept(self, path: str) -> None:
        if path:
            self.line.setText(path)

    def value(self) -> Any:
        """Return the path as text, the home folder's tilde spelled out."""
        text = self.line.text().strip()
        return str(Path(text).expanduser()) if text else None

    def set_value(self, value: Any) -> None:
        """Show a path."""
        self.line.setText("" if value is None else str(value))

    def complaint(self) -> str:
        """Return the option's sentence, or that there is nothing at that path."""
        sentence = super().complaint()
        path = self.value()
        if sentence or path is None or self.option.kind is Kind.OUTPUT:
            return sentence
        if not Path(path).exists():
            return f"{path} does not exist."
        if self.option.kind is Kind.FOLDER and not Path(path).is_dir():
            return f"{path} is not a folder."
        return ""

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            self._light(True)
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._light(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._light(False)
        local = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        self._accept(local[0])
        event.acceptProposedAction()

    def _light(self, lit: bool) -> None:
        restyle(self._zone, lit="true" if lit else "")
