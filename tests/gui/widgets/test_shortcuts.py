"""The list of shortcuts: laid out when it changes, and not at each visit."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from studio.gui.widgets.shortcuts import KeyLabel, ShortcutList
from tests.gui.page_rig import visible_texts

SAVE, OPEN = ("Save", ("Ctrl", "S")), ("Open", ("Ctrl", "O"))


def parts(shown: ShortcutList) -> list[QWidget]:
    return [one for one in shown.findChildren(KeyLabel) if not one.isHidden()]


def test_the_same_shortcuts_are_laid_out_once(qtbot: QtBot) -> None:
    shown = ShortcutList()
    qtbot.addWidget(shown)
    shown.show_shortcuts([SAVE, OPEN])
    before = parts(shown)
    shown.show_shortcuts((SAVE, OPEN))
    assert parts(shown) == before


def test_other_shortcuts_replace_them(qtbot: QtBot) -> None:
    shown = ShortcutList()
    qtbot.addWidget(shown)
    shown.show_shortcuts([SAVE])
    shown.show_shortcuts([OPEN])
    shown.show()
    qtbot.waitExposed(shown)
    assert "Open" in visible_texts(shown)
    assert "Save" not in visible_texts(shown)
