"""The help of a page: its purpose, how it is used, and its keys; nothing is fetched for it."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from studio.documents.dataclass_json import from_json
from studio.gui.widgets.basics import GRID, Scroll, button, label, row
from studio.gui.widgets.shortcuts import FIXED, ShortcutList, listed
from studio.gui.window.side.side_panel import SidePanel
from studio.gui.window.stages import BY_ID, Stage
from studio.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from studio.gui.shell import WindowParts


@dataclass(frozen=True, slots=True)
class PageHelp:
    """The help text of a page.

    Attributes:
        purpose: One or two sentences; empty for a page without help.
        how: What one does on the page, a sentence each, in order.
        command: The command that does the same; empty without one.
    """

    purpose: str = ""
    how: tuple[str, ...] = ()
    command: str = ""


def page_help(stage: Stage) -> PageHelp:
    """Return the help of a page, from the ``help.toml`` in its folder; empty without one."""
    path = stage.folder / "help.toml"
    if not path.is_file():
        return PageHelp()
    return from_json(PageHelp, tomllib.loads(path.read_text(encoding="utf-8")))


class HelpPanel(SidePanel):
    """The panel with the help of the page that is shown."""

    def __init__(self, window: WindowParts) -> None:
        super().__init__("Help", window.theming, window.widget)
        self._window = window
        self.purpose = label("", wrap=True)
        self.how = label("", "dim", wrap=True)
        self.command = label("", "mono", wrap=True)
        self.keys = ShortcutList()
        self.everywhere = ShortcutList()
        column = Scroll()
        column.body.setSpacing(GRID)
        self._page_keys = label("On this page", "section")
        parts = (
            self.purpose,
            self.how,
            self.command,
            self._page_keys,
            self.keys,
            label("Everywhere", "section"),
            self.everywhere,
        )
        for part in parts:
            column.body.addWidget(part)
        column.body.addStretch(1)
        foot = row(button("About Edgewright", self._show_about, "link"), None)
        foot.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        self.body.addWidget(column, 1)
        self.body.addLayout(foot)

    def read(self) -> None:
        """Show the help of the current page."""
        page = self._window.page()
        stage = BY_ID[page.stage if page is not None else "welcome"]
        text = page_help(stage)
        self.heading.setText(f"Help: {stage.title}")
        self.purpose.setText(text.purpose)
        self.how.setText("\n".join(f"{number}. {one}" for number, one in enumerate(text.how, 1)))
        self.how.setVisible(bool(text.how))
        self.command.setText(text.command)
        self.command.setVisible(bool(text.command))
        own = listed(page.actions()) if page is not None else []
        self._page_keys.setVisible(bool(own))
        self.keys.setVisible(bool(own))
        self.keys.show_shortcuts(own)
        self.everywhere.show_shortcuts([*FIXED, *listed(self._window.widget.actions())])

    def _show_about(self) -> None:
        self.closed.emit()
        show_about(self._window)


def show_about(window: WindowParts) -> None:
    """Show the versions and licences."""
    from studio.gui.pages.settings.page import ABOUT, SettingsPage

    window.go("settings")
    page = window.page()
    if isinstance(page, SettingsPage):
        page.show_section(ABOUT)
