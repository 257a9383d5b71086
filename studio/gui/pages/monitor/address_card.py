"""The address of an endpoint, and programs that call it."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSize
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QPlainTextEdit

from studio.api.qt import plain_tip
from studio.gui import icons
from studio.gui.shell import Shell
from studio.gui.widgets.basics import (
    GRID,
    Card,
    ElidedLabel,
    Pill,
    Segmented,
    button,
    row,
    set_enabled,
)
from studio.monitoring.results import CallsMessage

LANGUAGES = (("curl", "curl"), ("Python", "python"), ("JavaScript", "javascript"))
_LOADING = "The example calls appear when the endpoint answers."
_ICON = 16
_CODE_HEIGHT = 18 * GRID


class AddressCard(Card):
    """The URL, and the program in the chosen language; the last ones stay without an answer."""

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self.setAccessibleName("Address")
        self._shell = shell
        self._programs: Mapping[str, str] = {}
        self.method = Pill("POST")
        self.url = ElidedLabel("")
        self.url.setProperty("role", "mono")
        self.copy_url = button("", self._copy_url, "quiet")
        self.copy_url.setAccessibleName("Copy the address")
        self.copy_url.setToolTip(plain_tip("Copy the address"))
        self.languages = Segmented([title for title, _ in LANGUAGES], "Language of the example")
        self.copy_code = button("Copy code", self._copy_code)
        self.code = QPlainTextEdit()
        self.code.setReadOnly(True)
        self.code.setTabChangesFocus(True)
        self.code.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.code.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.code.setPlaceholderText(_LOADING)
        self.code.setAccessibleName("Example call")
        self.code.setMinimumHeight(_CODE_HEIGHT)
        self.body.setContentsMargins(2 * GRID, GRID, 2 * GRID, 2 * GRID)
        head = row(self.method, self.url, self.copy_url, self.languages, self.copy_code)
        head.setStretch(1, 1)
        self.body.addLayout(head)
        self.body.addWidget(self.code, 1)
        self.languages.changed.connect(lambda _: self._show_code())
        shell.theming.changed.connect(self._dress)
        self._dress()
        self.clear("")

    def clear(self, endpoint: str) -> None:
        """Show another endpoint, whose programs are not known yet."""
        self._programs = {}
        self.url.setText(endpoint)
        self._show_code()

    def show_calls(self, calls: CallsMessage) -> None:
        """Show the programs of an endpoint."""
        self._programs = calls.programs
        self.url.setText(calls.infer)
        self._show_code()

    def _show_code(self) -> None:
        text = self._programs.get(LANGUAGES[self.languages.index()][1], "")
        if text != self.code.toPlainText():
            self.code.setPlainText(text)
        set_enabled(self.copy_code, "" if text else _LOADING)
        set_enabled(self.copy_url, "" if self.url.full_text() else "No address yet.")
        if self.url.full_text():
            self.copy_url.setToolTip(plain_tip("Copy the address"))

    def _copy_url(self) -> None:
        QGuiApplication.clipboard().setText(self.url.full_text())
        self._shell.notify("Address copied.")

    def _copy_code(self) -> None:
        QGuiApplication.clipboard().setText(self.code.toPlainText())
        self._shell.notify(f"{LANGUAGES[self.languages.index()][0]} code copied.")

    def _dress(self) -> None:
        color = self._shell.theming.current.color("dim")
        self.copy_url.setIcon(icons.icon("copy", color, _ICON))
        self.copy_url.setIconSize(QSize(_ICON, _ICON))
