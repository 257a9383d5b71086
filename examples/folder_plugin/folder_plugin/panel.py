"""The panel: the folders that are targets, adding one, and what each holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from studio.api import Kind, Option, TargetSpec
from studio.api.qt import Panel, PanelHost, RunningStep, StepEnd

OPTIONS = (
    Option("name", title="Name", help="What you call it: attic.", required=True),
    Option("folder", Kind.FOLDER, title="Folder", help="Where releases go.", required=True),
)


class FoldersPanel(Panel):
    """A list at the left, a form at the right, what was found below."""

    def __init__(self, host: PanelHost) -> None:
        super().__init__(host)
        self.list = QListWidget()
        self.list.setAccessibleName("Folders")
        self.list.setMaximumHeight(200)
        self.form = host.form(OPTIONS)
        self.form.on_submit(self.add)
        self.text = QLabel("Nothing was looked at yet.")
        self.text.setProperty("role", "dim")
        self.text.setWordWrap(True)
        self.look = QPushButton("Show what is there")
        self.look.clicked.connect(self.ask)
        self.add_button = QPushButton("Add the folder")
        self.add_button.setProperty("kind", "primary")
        self.add_button.clicked.connect(self.add)
        self._step: RunningStep | None = None
        self._arrange()

    def _arrange(self) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(16)
        top = Qt.AlignmentFlag.AlignTop
        layout.addWidget(_card("Folders", self.list, self.look, self.text), 1, top)
        layout.addWidget(_card("Add a folder", self.form.widget, self.add_button), 1, top)

    def refresh(self) -> None:
        """List the targets again; the chosen one stays chosen."""
        chosen = self._chosen()
        self.list.clear()
        names = [target.name for target in self.host.targets()]
        self.list.addItems(names)
        if names:
            self.list.setCurrentRow(names.index(chosen) if chosen in names else 0)
        self.look.setEnabled(bool(names) and self._step is None)

    def add(self) -> None:
        """Add the folder of the form as a target."""
        if self.form.check():
            values = self.form.values()
            target = TargetSpec(str(values["name"]), f"folder:{values['folder']}")
            if self.host.add_target(target):
                self.form.set_values({"name": "", "folder": ""})
                self.host.say(f"{target.name} is a target now.", "good")

    def ask(self) -> None:
        """Ask the chosen folder what it holds."""
        self._step = self.host.start("resources", target=self._chosen())
        if self._step is not None:
            self.look.setEnabled(False)
            self._step.finished.connect(self._show)

    def _show(self, end: StepEnd) -> None:
        self._step = None
        self.look.setEnabled(True)
        if end.ok:
            rows = end.result["resources"]
            self.text.setText("\n".join(map(_line, rows)) or "It is empty.")

    def _chosen(self) -> str:
        item = self.list.currentItem()
        return item.text() if item is not None else ""


def _card(title: str, *parts: QWidget) -> QFrame:
    card = QFrame()
    card.setProperty("role", "card")
    heading = QLabel(title)
    heading.setProperty("role", "section")
    column = QVBoxLayout(card)
    column.setContentsMargins(16, 14, 16, 16)
    column.setSpacing(8)
    for part in (heading, *parts):
        is_button = isinstance(part, QPushButton)
        column.addWidget(part, 0, Qt.AlignmentFlag.AlignLeft if is_button else Qt.AlignmentFlag(0))
    column.addStretch(1)
    return card


def _line(row: Mapping[str, Any]) -> str:
    return f"{row['kind']} {row['name']}" + (" (running)" if row["running"] else "")
