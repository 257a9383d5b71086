"""Every page and view at its common widths: no label or button is narrower than its text."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QRect, QSize
from PySide6.QtWidgets import QAbstractButton, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from studio.gui.pages.model.drawer import TITLES
from studio.gui.pages.model.page import ModelPage
from studio.gui.pages.shared.base import WIDEST, Page
from studio.gui.widgets.basics import Card, ElidedLabel
from studio.gui.window.main_window import MainWindow
from studio.gui.window.stages import BY_ID

_LOOKS, _BETWEEN_MS = 40, 30
SIZES = [(960, 600), (1280, 800), (1920, 1080), (3840, 1600)]
SCALE = "QT_SCALE_FACTOR"


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_no_text_is_cut(digits_window: MainWindow, qtbot: QtBot, size: tuple[int, int]) -> None:
    digits_window.resize(QSize(*size))
    assert (digits_window.width(), digits_window.height()) == size
    cut = _cut_at_rest(digits_window, qtbot, "window")
    for stage in BY_ID:
        digits_window.go(stage)
        page = digits_window.page()
        assert isinstance(page, Page)
        for view in range(page.stack.count()):
            page.show_view(view)
            cut += _cut_at_rest(page, qtbot, f"{stage}, view {view}")
        if isinstance(page, ModelPage):
            cut += _cut_in_drawer(page, qtbot)
    assert not cut, "\n".join(cut)
    assert digits_window.devicePixelRatioF() == float(os.environ.get(SCALE, "1"))


@pytest.mark.slow
@pytest.mark.parametrize("place", [0, 1], ids=lambda place: str(SIZES[place]))
def test_no_text_is_cut_at_200_percent(place: int) -> None:
    """In a process of its own, as Qt reads the factor when it begins."""
    test = f"{__file__}::{test_no_text_is_cut.__name__}[{SIZES[place]}]"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test],
        env={**os.environ, SCALE: "2"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_a_view_on_a_very_wide_screen_stays_in_the_middle(digits_window: MainWindow) -> None:
    digits_window.resize(3840, 1600)
    for stage in BY_ID:
        digits_window.go(stage)
        page = digits_window.page()
        assert isinstance(page, Page)
        cards = [card for card in page.findChildren(Card) if card.isVisibleTo(page)]
        widest = max((card.width() for card in cards), default=0)
        assert page.fills_width or widest <= WIDEST, f"a card of {stage} is {widest} wide"
        left = page.stack.contentsRect().left()
        right = page.stack.width() - page.stack.contentsRect().right() - 1
        assert abs(left - right) <= 1
        assert page.fills_width or page.stack.contentsRect().width() <= WIDEST


def _cut_in_drawer(page: ModelPage, qtbot: QtBot) -> list[str]:
    cut: list[str] = []
    for tool, title in enumerate(TITLES):
        page.open_tool(tool)
        cut += _cut_at_rest(page, qtbot, f"model, {title}")
    page.drawer.toggle(len(TITLES) - 1)
    page.show_view(page.stack.count() - 1)
    return cut


def _cut_at_rest(root: QWidget, qtbot: QtBot, where: str) -> list[str]:
    """What is cut once all is laid out; what a page finds out comes after it is shown."""
    for _ in range(_LOOKS):
        qtbot.wait(_BETWEEN_MS)
        found = list(_cut(root, where))
        if not found:
            break
    return found


def _cut(root: QWidget, where: str) -> Iterator[str]:
    for widget in root.findChildren(QWidget):
        if widget.isVisibleTo(root) and _is_cut(widget):
            assert isinstance(widget, QLabel | QAbstractButton)
            yield f"{where}: {widget.text()[:60]!r} has {widget.width()} of {_wanted(widget)}"


def _is_cut(widget: QWidget) -> bool:
    """Whether a text that cannot be shortened or broken has less room than it takes."""
    if isinstance(widget, ElidedLabel) or not isinstance(widget, QLabel | QPushButton):
        return False
    if isinstance(widget, QLabel) and (widget.wordWrap() or "<" in widget.text()):
        return False
    return bool(widget.text()) and widget.width() < _wanted(widget)


def _wanted(widget: QLabel | QAbstractButton) -> int:
    text = widget.text().replace("&", "")
    lines = [widget.fontMetrics().boundingRect(QRect(), 0, line) for line in text.split("\n")]
    return max(line.width() for line in lines)
