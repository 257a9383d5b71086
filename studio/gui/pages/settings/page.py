"""The Settings page: sections of settings with a search, plugins, keys, versions and licences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from studio.gui.pages.settings.rows import SettingRow
from studio.gui.pages.shared.base import Page
from studio.gui.shell import Shell
from studio.gui.widgets.basics import GRID, Card, Hint, Scroll, button, label, line, row
from studio.gui.widgets.shortcuts import FIXED, ShortcutList, listed
from studio.gui.widgets.tables import Table
from studio.settings import SETTINGS

if TYPE_CHECKING:
    from studio.workspace import Workspace
    from studio.workspace.upkeep.parts import InstalledPart

ABOUT, KEYBOARD, PLUGINS = "About", "Keyboard", "Engines and plugins"
NAV_WIDTH = 176
COLUMN = 760
LATER = "Used from the next start."

SECTIONS = (
    (
        "Appearance",
        (("theme", "The system's theme follows the desktop between light and dark."),),
    ),
    (
        "Window",
        (("closing", "Earlier results are always kept. Activity lists interrupted jobs."),),
    ),
    (
        "Projects and data",
        (
            ("operator", "Written into the history of releases. Empty: your login name."),
            ("alerts", f"The TOML file with the rules that the window watches. {LATER}"),
        ),
    ),
    (
        "Sandbox and workers",
        (
            (
                "sandbox",
                f"Models are parsed and run behind bubblewrap, or Landlock without it. {LATER}",
            ),
            (
                "worker_memory_mb",
                f"For each process of a worker. 0 takes half of this computer's memory. {LATER}",
            ),
            ("patience_s", f"A worker without progress for this long is stopped. {LATER}"),
            ("log_level", f"The detail of the log in the data folder. {LATER}"),
        ),
    ),
)


class SettingsPage(Page):
    """Page of settings, each stored as soon as it is changed.

    Attributes:
        rows: Each setting by its name.
    """

    stage = "settings"
    title = "Settings"
    icon = "settings"

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__(workspace, shell)
        self.rows: dict[str, SettingRow] = {}
        self._cards: dict[str, Card] = {}
        self._parts: tuple[InstalledPart, ...] = ()
        self.set_note("Changes apply at once.")
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search settings")
        self.search.setAccessibleName("Search settings")
        self.search.setClearButtonEnabled(True)
        self.search.setFixedWidth(220)
        self.add_tool(self.search)
        self.add_tool(button("Restore defaults…", self._ask_defaults))
        self.keys = ShortcutList()
        self.versions = Table(("Part", "Version", "Licence"), name="Versions and licences")
        self.copy = button("Copy versions", self._copy_versions)
        self.add_view("Settings", self._content())
        self.search.textChanged.connect(self._filter)
        self.add_command("Settings: find on the page", self.search.setFocus, "Ctrl+F")

    def take_focus(self) -> None:
        """Typing searches."""
        self.search.setFocus(Qt.FocusReason.OtherFocusReason)

    def dress(self) -> None:
        """Dress the visible parts, and read the shortcuts of the window."""
        super().dress()
        self.keys.show_shortcuts([*FIXED, *listed(self.window().actions())])
        if not self._parts:
            from studio.workspace.upkeep.parts import installed_parts

            self.workspace.in_background(installed_parts, self._show_parts)

    def show_section(self, title: str) -> None:
        """Scroll to a section."""
        self.search.clear()
        card = self._cards[title]
        # Only after the layout is done does a card have its place.
        QTimer.singleShot(0, lambda: self._scroll.verticalScrollBar().setValue(card.y() - GRID))
        card.setFocus(Qt.FocusReason.OtherFocusReason)

    def _content(self) -> QWidget:
        self._scroll = Scroll()
        self._nothing = Hint("No settings found", "Try a shorter search.")
        self._nothing.hide()
        column = QWidget()
        column.setMaximumWidth(COLUMN)
        layout = QVBoxLayout(column)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        for title, settings in SECTIONS:
            layout.addWidget(self._section(title, settings))
        for card in (self._plugins_card(), self._keys_card(), self._about_card()):
            self._cards[card.accessibleName()] = card
            layout.addWidget(card)
        layout.addWidget(self._nothing)
        self._scroll.body.addWidget(column)
        self._scroll.body.addStretch(1)
        content = QWidget()
        outer = QHBoxLayout(content)
        outer.setContentsMargins(2 * GRID, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self._navigation())
        outer.addWidget(self._scroll, 1)
        return content

    def _navigation(self) -> QWidget:
        column = QWidget()
        column.setFixedWidth(NAV_WIDTH)
        layout = QVBoxLayout(column)
        layout.setContentsMargins(0, 2 * GRID, 0, 2 * GRID)
        layout.setSpacing(2)
        for title in self._cards:
            layout.addWidget(self._entry(title))
        layout.addStretch(1)
        return column

    def _entry(self, title: str) -> QPushButton:
        entry = button(title, lambda: self.show_section(title), "quiet")
        entry.setProperty("role", "entry")
        return entry

    def _section(self, title: str, settings: Sequence[tuple[str, str]]) -> Card:
        card = Card(title)
        for number, (name, help) in enumerate(settings):
            if number:
                card.body.addWidget(line())
            made = SettingRow(
                SETTINGS[name], self.workspace.settings, help, self._apply, self.shell.fail
            )
            self.rows[name] = made
            card.body.addWidget(made)
        self._cards[title] = card
        return card

    def _plugins_card(self) -> Card:
        card = Card(PLUGINS, "Runtimes, targets, formats and panels come from plugins.")
        card.body.addLayout(row(button("Go to Plugins", lambda: self.shell.go("plugins")), None))
        return card

    def _keys_card(self) -> Card:
        card = Card(KEYBOARD, "Pages have more shortcuts; F1 lists those of the page.")
        card.body.addWidget(self.keys)
        return card

    def _about_card(self) -> Card:
        card = Card(ABOUT, "Edgewright, Apache-2.0. No account, no telemetry.")
        self.versions.setMinimumHeight(9 * 32)
        card.body.addWidget(self.versions)
        card.body.addLayout(row(self.copy, None))
        card.body.addWidget(
            label("The licence of each package is the one that the package states.", "dim")
        )
        return card

    def _apply(self, name: str) -> None:
        """Apply what can be applied at once."""
        if name == "theme":
            self.shell.theming.choose(str(self.workspace.settings["theme"]))

    def _filter(self, text: str) -> None:
        """Show the settings that have every word, and the sections that are named by them."""
        words = text.lower().split()
        any_shown = False
        for title, card in self._cards.items():
            rows = [one for one in self.rows.values() if card.isAncestorOf(one)]
            is_named = all(word in title.lower() for word in words)
            for one in rows:
                one.setVisible(is_named or all(word in one.words for word in words))
            shown = is_named or any(not one.isHidden() for one in rows)
            card.setVisible(shown)
            any_shown = any_shown or shown
        self._nothing.setVisible(not any_shown)

    def _ask_defaults(self) -> None:
        dialog = QMessageBox(self.header)
        dialog.setWindowTitle("Edgewright")
        dialog.setText("Restore the defaults of all settings?")
        dialog.setInformativeText("Models, targets, plugins and secrets stay as they are.")
        accept = dialog.addButton("Restore defaults", QMessageBox.ButtonRole.AcceptRole)
        dialog.addButton(QMessageBox.StandardButton.Cancel)
        dialog.exec()
        if dialog.clickedButton() is accept:
            self.restore_defaults()

    def restore_defaults(self) -> None:
        """Set every setting on the page to its default."""
        for one in self.rows.values():
            one.restore_default()

    def _show_parts(self, parts: tuple[InstalledPart, ...] | Exception) -> None:
        if isinstance(parts, Exception):
            self.shell.fail(parts)
            return
        self._parts = parts
        self.versions.show_rows([(part.name, part.version, part.licence) for part in parts])

    def _copy_versions(self) -> None:
        from studio.workspace.upkeep.parts import versions_text

        QGuiApplication.clipboard().setText(versions_text(self._parts))
        self.shell.notify("Versions copied.", "good")
