"""The Plugins page: what is installed, what each offers and may do, and why one is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.gui import figures
from studio.gui.pages.base import Page, Shell
from studio.gui.tables import Table
from studio.gui.widgets import GRID, Card, FieldList, Pill, button, label, row

if TYPE_CHECKING:
    from studio.workspace import Plugin, Workspace

COLUMNS = ("Plugin", "Id", "Version", "Offers", "May use", "State")
TONES = {"available": "good", "unavailable": "warning", "broken": "bad"}
INSTALL = "install it with: "


def offers(plugin: Plugin) -> str:
    """What it adds, by extension point: ``2 targets, 1 panel``."""
    counts: dict[str, int] = {}
    for capability in plugin.capabilities:
        counts[capability.extension.value] = counts.get(capability.extension.value, 0) + 1
    singular = {"registries": "registry", "analyzers": "analyzer"}
    return ", ".join(
        f"{n} {singular.get(kind, kind.removesuffix('s')) if n == 1 else kind}"
        for kind, n in counts.items()
    )


def permissions(plugin: Plugin) -> str:
    """What its code may reach: ``network, secrets``."""
    if plugin.manifest is None:
        return figures.NOTHING
    return ", ".join(sorted(p.value for p in plugin.manifest.permissions)) or "nothing"


def install_line(plugin: Plugin) -> str:
    """The command that installs what it lacks, empty where there is none."""
    return plugin.reason.partition(INSTALL)[2].strip()


def fields(plugin: Plugin) -> list[Sequence[str]]:
    """A plugin's facts, for a list of names and values."""
    found: list[Sequence[str]] = []
    if plugin.reason:
        found.append(("Why not", plugin.reason, TONES.get(plugin.state.value, "")))
    if plugin.manifest is not None and plugin.manifest.description:
        found.append(("About", plugin.manifest.description))
    for capability in plugin.capabilities:
        kind = capability.extension.value.removesuffix("s").capitalize()
        found.append((kind, f"{capability.title} ({capability.id})"))
    if plugin.manifest is not None:
        found.append(("Requires", ", ".join(plugin.manifest.requires) or "nothing"))
    found.append(("Folder", str(plugin.folder)))
    return found


class PluginsPage(Page):
    """Lists the plugins; nothing of one is imported for it."""

    stage = "plugins"
    title = "Plugins"
    icon = "plugins"

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__(workspace, shell)
        self._plugins: tuple[Plugin, ...] = ()
        self.table = Table(COLUMNS, stretch=3, name="Plugins")
        self.fields = FieldList()
        self.copy = button("Copy the install line", self._copy)
        self.card = Card("Plugin")
        self.add_view("Plugins", self._content())
        self.table.itemSelectionChanged.connect(self._show_selected)
        self.reload()

    def _content(self) -> QWidget:
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        layout.setSpacing(2 * GRID)
        listed = Card()
        listed.body.setContentsMargins(4, 4, 4, 4)
        listed.body.addWidget(self.table)
        self.card.body.addWidget(self.fields)
        self.card.body.addLayout(row(self.copy, None))
        note = (
            "A plugin's code runs in worker processes with limits. That keeps mistakes away from "
            "the window; it is no protection against a malicious author."
        )
        for part in (listed, self.card, label(note, "small", wrap=True)):
            layout.addWidget(part)
        layout.addStretch(1)
        return content

    def reload(self) -> None:
        """Show the plugins that the workspace has found."""
        self._plugins = self.workspace.plugins.plugins
        self.table.show_rows([self._cells(plugin) for plugin in self._plugins])
        self.table.fit_height(10)
        ready = sum(plugin.state.value == "available" for plugin in self._plugins)
        self.set_note(f"{ready} of {figures.count(len(self._plugins), 'plugin')} available")
        if self._plugins:
            self.table.selectRow(0)
        self._show_selected()

    @staticmethod
    def _cells(plugin: Plugin) -> list[str | QWidget]:
        manifest = plugin.manifest
        return [
            manifest.name if manifest else plugin.id,
            plugin.id,
            manifest.version if manifest else figures.NOTHING,
            offers(plugin),
            permissions(plugin),
            Pill(plugin.state.value, TONES.get(plugin.state.value, "")),
        ]

    def _selected(self) -> Plugin | None:
        y = self.table.currentRow()
        return self._plugins[y] if 0 <= y < len(self._plugins) else None

    def _show_selected(self) -> None:
        plugin = self._selected()
        self.card.setVisible(plugin is not None)
        if plugin is None:
            return
        self.card.heading.setText(plugin.manifest.name if plugin.manifest else plugin.id)
        self.fields.show_fields(fields(plugin))
        self.copy.setVisible(bool(install_line(plugin)))

    def _copy(self) -> None:
        plugin = self._selected()
        if plugin is not None:
            QGuiApplication.clipboard().setText(install_line(plugin))
            self.shell.say("The install line is on the clipboard.")
