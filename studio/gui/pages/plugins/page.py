"""The Plugins page: what is installed, what each offers and may do, and why one is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from studio.api import StudioError
from studio.gui import figures
from studio.gui.pages.plugins.environment_card import INSTALL as INSTALL_ENVIRONMENT
from studio.gui.pages.plugins.environment_card import REMOVE as REMOVE_ENVIRONMENT
from studio.gui.pages.plugins.environment_card import EnvironmentCard
from studio.gui.pages.shared.base import Page
from studio.gui.shell import Shell
from studio.gui.widgets.basics import Card, FieldList, Pill, Scroll, button, label, row
from studio.gui.widgets.tables import Table
from studio.workspace import RegistryChanged

if TYPE_CHECKING:
    from studio.workspace import Plugin, Workspace

COLUMNS = ("Plugin", "State", "Capabilities", "Permissions", "Id", "Version")
TONES = {
    "available": "good",
    "needs consent": "warning",
    "off": "",
    "unavailable": "warning",
    "broken": "bad",
    "failed": "bad",
}
INSTALL = "install it with: "
REACH = {
    "network": "the network",
    "home": "your home folder",
    "secrets": "your keys and logins",
    "processes": "start processes",
}
"""What each permission means, in the user's words."""

NOTE = (
    "Plugin code runs in worker processes with limits; plugin panels run in this window. This "
    "does not protect against a malicious author. Allow only plugins that you trust."
)


def offers(plugin: Plugin) -> str:
    """Return the capabilities by extension point: ``2 targets, 1 panel``."""
    counts: dict[str, int] = {}
    for capability in plugin.capabilities:
        counts[capability.extension.value] = counts.get(capability.extension.value, 0) + 1
    singular = {"registries": "registry", "analyzers": "analyzer"}
    return ", ".join(
        f"{n} {singular.get(kind, kind.removesuffix('s')) if n == 1 else kind}"
        for kind, n in counts.items()
    )


def permissions(plugin: Plugin) -> str:
    """Return the permissions: ``network, secrets``."""
    if plugin.manifest is None:
        return figures.NOTHING
    return ", ".join(sorted(p.value for p in plugin.manifest.permissions)) or "none"


def install_line(plugin: Plugin) -> str:
    """Return the command that installs the missing requirements; empty without any."""
    return plugin.reason.partition(INSTALL)[2].strip()


def reason(plugin: Plugin) -> str:
    """Return why it is not available, without the command that the buttons stand for."""
    text = plugin.reason.partition("; look at it, then:")[0]
    text = text.partition("; switch it on again with:")[0].strip()
    if plugin.state.value == "unavailable":  # it may begin with a library's name
        return text
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def question(plugin: Plugin) -> str:
    """Return the consent that the user gives, in one sentence."""
    permissions = plugin.manifest.permissions if plugin.manifest else frozenset()
    reach = " and ".join(REACH[name] for name in sorted(one.value for one in permissions))
    name = plugin.manifest.name if plugin.manifest else plugin.id
    asks = f"requests: {reach}" if reach else "requests no permissions"
    return (
        f"{name} is a third-party plugin; it {asks}. It cannot run until you allow it. You are "
        "asked again when its files change."
    )


def fields(plugin: Plugin) -> list[Sequence[str]]:
    """Return a plugin's facts, for a list of names and values."""
    found: list[Sequence[str]] = []
    if plugin.reason and "no consent" not in plugin.reason:  # which is the question itself
        found.append(("Reason", reason(plugin), TONES.get(plugin.word, "")))
    if plugin.manifest is not None and plugin.manifest.description:
        found.append(("About", plugin.manifest.description))
    for capability in plugin.capabilities:
        kind = capability.extension.value.removesuffix("s").capitalize()
        found.append((kind, f"{capability.title} ({capability.id})"))
    if plugin.manifest is not None:
        found += [("Note", note) for note in plugin.manifest.notes]
        found.append(("Requires", ", ".join(plugin.manifest.requires) or "none"))
    found.append(("From", "built in" if plugin.built_in else "third party"))
    found.append(("Folder", str(plugin.folder)))
    if plugin.digest:
        found.append(("SHA-256 of its files", plugin.digest))
    return found


class PluginsPage(Page):
    """The list of plugins, made without importing any."""

    stage = "plugins"
    title = "Plugins"
    icon = "plugins"
    repeats = (INSTALL_ENVIRONMENT, REMOVE_ENVIRONMENT)

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__(workspace, shell)
        self._plugins: tuple[Plugin, ...] = ()
        self.table = Table(COLUMNS, stretch=(2, 3), name="Plugins")
        self.fields = FieldList()
        self.copy = button("Copy install command", self._copy)
        self.question = label("", wrap=True)
        self.allow = button("Allow", self._allow, "primary")
        self.forbid = button("Disable", self._forbid)
        self.card = Card("Plugin")
        self.environment = EnvironmentCard(workspace, shell)
        self.add_view("Plugins", self._content())
        self.table.itemSelectionChanged.connect(self._show_selected)
        self.reload()

    def _content(self) -> QWidget:
        content = Scroll()
        layout = content.body
        listed = Card()
        listed.body.setContentsMargins(4, 4, 4, 4)
        listed.body.addWidget(self.table)
        self.card.body.addWidget(self.question)
        self.card.body.addWidget(self.fields)
        self.card.body.addLayout(row(self.allow, self.copy, self.forbid, None))
        layout.addWidget(listed)
        layout.addWidget(self.card)
        layout.addWidget(self.environment)
        layout.addWidget(label(NOTE, "small", wrap=True))
        layout.addStretch(1)
        return content

    def on_event(self, event: object) -> None:
        """Show what another decision has changed, and how far an installation is."""
        self.environment.on_event(event)
        if isinstance(event, RegistryChanged) and event.what == "plugins":
            self.reload()

    def reload(self) -> None:
        """Show the plugins that the workspace has found; the chosen one stays chosen."""
        chosen = self._selected()
        self._plugins = self.workspace.plugins.plugins
        self.table.show_rows([self._cells(plugin) for plugin in self._plugins])
        self.table.fit_height(10)
        self.set_note(self._summary())
        if self._plugins:
            ids = [plugin.id for plugin in self._plugins]
            self.table.selectRow(ids.index(chosen.id) if chosen and chosen.id in ids else 0)
        self._show_selected()

    def _summary(self) -> str:
        states = [plugin.word for plugin in self._plugins]
        ready = f"{states.count('available')} of {figures.count(len(states), 'plugin')} available"
        waiting = states.count("needs consent")
        asked = f" · {waiting} {'needs' if waiting == 1 else 'need'} your consent"
        safe = " · safe mode: built-in plugins only"
        return ready + (asked if waiting else "") + (safe if self.workspace.safe_mode else "")

    @staticmethod
    def _cells(plugin: Plugin) -> list[str | QWidget]:
        manifest = plugin.manifest
        return [
            manifest.name if manifest else plugin.id,
            Pill(plugin.word, TONES.get(plugin.word, "")),
            offers(plugin),
            permissions(plugin),
            plugin.id,
            manifest.version if manifest else figures.NOTHING,
        ]

    def _selected(self) -> Plugin | None:
        y = self.table.currentRow()
        return self._plugins[y] if 0 <= y < len(self._plugins) else None

    def _show_selected(self) -> None:
        plugin = self._selected()
        self.card.setVisible(plugin is not None)
        self.environment.show_plugin(plugin)
        if plugin is None:
            return
        self.card.heading.setText(plugin.manifest.name if plugin.manifest else plugin.id)
        self.fields.show_fields(fields(plugin))
        self.copy.setVisible(bool(install_line(plugin)))
        state = plugin.state.value
        self.question.setVisible(state == "needs consent")
        self.question.setText(question(plugin))
        may = not self.workspace.safe_mode or plugin.built_in
        self.allow.setVisible(state in ("needs consent", "off") and may)
        self.allow.setText("Allow" if state == "needs consent" else "Enable")
        self.allow.setAccessibleName(f"{self.allow.text()}: {self.card.heading.text()}")
        self.forbid.setVisible(state in ("available", "needs consent") and not plugin.built_in)

    def _allow(self) -> None:
        plugin = self._selected()
        if plugin is None:
            return
        try:
            self.workspace.allow_plugin(plugin.id, plugin.digest)
        except StudioError as error:
            self.shell.fail(error)
        self.reload()

    def _forbid(self) -> None:
        plugin = self._selected()
        if plugin is not None:
            self.workspace.forbid_plugin(plugin.id)
            self.reload()

    def _copy(self) -> None:
        plugin = self._selected()
        if plugin is not None:
            QGuiApplication.clipboard().setText(install_line(plugin))
            self.shell.notify("Install command copied.")
