"""What strangers wrote is shown as it stands: no label and no tooltip reads markup."""

from __future__ import annotations

import pytest
from PySide6.QtGui import Qt as RichText
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from studio.api.qt import plain_tip
from studio.gui.theme import Theming
from studio.gui.widgets.basics import ElidedLabel
from studio.gui.window.toasts import Toast
from tests.gui.conftest import MakeWindow

MARKUP = "<b>conv</b> <img src='file:///etc/hostname'> & <a href='x'>y</a>"


@pytest.mark.parametrize("text", [MARKUP, f"{MARKUP}\none", "<qt>x</qt>"])
def test_a_tooltip_is_shown_as_it_stands(text: str) -> None:
    assert RichText.mightBeRichText(text), "Qt would not have read it as markup"
    shown = QTextDocument()
    shown.setHtml(plain_tip(text))
    assert shown.toPlainText().replace("\u2028", "\n") == text
    assert plain_tip("a < b, conv1/weights:0") == "a < b, conv1/weights:0"


def test_no_label_of_the_window_reads_markup(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window()
    for stage in ("welcome", "model", "quantize", "profile", "deploy", "targets", "plugins"):
        window.go(stage)
    reads = [
        label.text() or type(label).__name__
        for label in window.findChildren(QLabel)
        if label.textFormat() != RichText.TextFormat.PlainText and not label.pixmap()
    ]
    assert [text for text in reads if text not in ("QLabel", "Ctrl K")] == []


def test_a_toast_and_a_name_that_does_not_fit(qtbot: QtBot) -> None:
    toast = Toast(Theming("dark"))
    qtbot.addWidget(toast)
    toast.show_message(MARKUP, "bad", MARKUP, MARKUP)
    assert toast.sentence.textFormat() == RichText.TextFormat.PlainText
    name = ElidedLabel(MARKUP * 20)
    qtbot.addWidget(name)
    name.resize(30, 20)
    name.setText(MARKUP * 20)
    assert not name.toolTip().startswith("<b>")
