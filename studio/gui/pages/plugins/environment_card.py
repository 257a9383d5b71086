"""A plugin's environment: what it is, whether it is there; made and removed by a click."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.gui import figures
from studio.gui.forms.form import Form
from studio.gui.pages.shared.licence_question import install_accepted
from studio.gui.pages.shared.stage_page import JobStrip
from studio.gui.shell import Shell
from studio.gui.widgets.basics import GRID, Card, FieldList, Pill, button, label, row

if TYPE_CHECKING:
    from studio.workspace import Environment, JobOutcome, Plugin, Workspace

INSTALL, REMOVE = "environment-install", "environment-remove"
TONES = {"installed": "good", "missing": "", "outdated": "warning", "broken": "bad"}
ABOUT = (
    "The libraries of this plugin are installed in a separate environment with pinned versions "
    "and digests. With bubblewrap, its processes have no access to the network and your home "
    "folder."
)


def fields(environment: Environment) -> list[Sequence[str]]:
    """Return an environment's facts, for a list of names and values."""
    state, need = environment.state(), environment.need
    found: list[Sequence[str]] = []
    if state.reason:
        found.append(("Reason", state.reason, TONES[state.condition.value]))
    about = f"about {figures.megabytes(need.megabytes)}"
    found.append(("Size", figures.size(state.bytes) if state.bytes else about))
    found.append(("Python", state.python or need.python))
    if state.versions:
        listed = ", ".join(f"{name} {version}" for name, version in state.versions.items())
        found.append(("Packages", listed))
    found.append(("Licences", need.licences or figures.NOTHING))
    found.append(("Folder", str(environment.folder)))
    return found


class EnvironmentCard(QWidget):
    """The environment of one plugin; hidden for plugins that need none.

    Signals:
        changed: It was made or removed.
    """

    changed = Signal()

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__()
        self._workspace, self._shell = workspace, shell
        self._plugin: Plugin | None = None
        self.state = Pill("")
        self.fields = FieldList()
        options = workspace.steps[INSTALL].form
        self.form = Form([option for option in options if option.name == "wheels"])
        self.install = button("Install", self._install, "primary")
        self.remove = button("Remove", self._remove)
        self.strip = JobStrip()
        self.strip.finished.connect(self._finished)
        card = Card("Environment")
        card.body.addWidget(label(ABOUT, "dim", wrap=True))
        card.body.addLayout(row(self.state, None))
        card.body.addWidget(self.fields)
        card.body.addWidget(self.form)
        card.body.addLayout(row(self.install, self.remove, None))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * GRID)
        layout.addWidget(self.strip)
        layout.addWidget(card)
        self.hide()

    def on_event(self, event: object) -> None:
        """Follow the installation in the workspace's events."""
        self.strip.on_event(event)

    def show_plugin(self, plugin: Plugin | None) -> None:
        """Read a plugin's environment from two small files, and show it."""
        self._plugin = plugin
        environment = self._workspace.plugins.environment(plugin) if plugin else None
        self.setVisible(environment is not None)
        if environment is None or plugin is None:
            return
        word = environment.state().condition.value
        self.state.show_state(word, TONES[word])
        self.fields.show_fields(fields(environment))
        self._show_buttons(plugin.state.value == "available", word)

    def _show_buttons(self, usable: bool, word: str) -> None:
        busy = self.strip.running
        wanted = usable and word != "installed"
        self.install.setText("Install" if word == "missing" else "Install again")
        for widget in (self.install, self.form):
            widget.setVisible(wanted and not busy)
        self.remove.setVisible(usable and word != "missing" and not busy)

    def _install(self) -> None:
        plugin = self._plugin
        environment = self._workspace.plugins.environment(plugin) if plugin else None
        if plugin is not None and environment is not None and self.form.check():
            given = {name: value for name, value in self.form.values().items() if value}
            install_accepted(self, environment, partial(self._start, name=plugin.id, **given))

    def _start(self, **options: object) -> None:
        self.strip.follow(self._shell.start(INSTALL, **options))
        self.show_plugin(self._plugin)

    def _remove(self) -> None:
        if self._plugin is not None:
            self.strip.follow(self._shell.start(REMOVE, name=self._plugin.id))
            self.show_plugin(self._plugin)

    def _finished(self, outcome: JobOutcome) -> None:
        self.show_plugin(self._plugin)
        self.changed.emit()
