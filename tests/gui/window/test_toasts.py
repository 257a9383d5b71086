"""Messages lie over the page: they move nothing, wait for their reader, and take no stray click."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QApplication, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from studio.gui.shell import MessageAction
from studio.gui.theme import Theming
from studio.gui.window import toasts as module
from studio.gui.window.side.side_panel import SidePanel
from studio.gui.window.toasts import MOST, Toast, Toasts


@pytest.fixture
def area(qtbot: QtBot) -> QWidget:
    """A page with a button that fills it, and counts its clicks."""
    area = QWidget()
    area.resize(800, 500)
    below = QPushButton("Deploy")
    below.setSizePolicy(*[below.sizePolicy().Policy.Expanding] * 2)
    below.setObjectName("below")
    QVBoxLayout(area).addWidget(below)
    qtbot.addWidget(area)
    area.show()
    qtbot.waitExposed(area)
    return area


@pytest.fixture
def toasts(area: QWidget) -> Toasts:
    return Toasts(Theming("dark"), area)


def click(qtbot: QtBot, area: QWidget, at: QPoint) -> None:
    """Click as a hand does: at a point of the screen, whatever lies there."""
    qtbot.mouseClick(area.childAt(at), Qt.MouseButton.LeftButton)


def place(toast: Toast) -> QPoint:
    return toast.geometry().center()


def test_nothing_moves(area: QWidget, toasts: Toasts) -> None:
    below = area.findChild(QPushButton, "below")
    before = below.geometry()
    toasts.show_message("It failed.", "bad", "Try again.", "a long detail\n" * 40)
    QApplication.processEvents()
    assert below.geometry() == before
    toast = toasts.shown[0].geometry()
    assert area.rect().contains(toast)
    assert (toast.right(), toast.bottom()) == (800 - 17, 500 - 17)


def test_a_click_on_its_way_to_what_is_below_goes_there(
    area: QWidget, toasts: Toasts, qtbot: QtBot
) -> None:
    clicks: list[str] = []
    below = area.findChild(QPushButton, "below")
    below.clicked.connect(lambda: clicks.append("below"))
    done = MessageAction("Undo", lambda: clicks.append("undone"))
    toast = toasts.show_message("Deployed.", "good", action=done)
    spot = toast.mapTo(area, toast.act.geometry().center())
    click(qtbot, area, spot)
    assert clicks == ["below"]
    qtbot.waitUntil(lambda: area.childAt(spot) is toast.act, timeout=5 * module.GUARD_MS)
    click(qtbot, area, spot)
    assert clicks == ["below", "undone"]
    assert toasts.shown == []


def test_it_leaves_by_itself_but_not_while_it_is_read(
    toasts: Toasts, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUIET_MS", 300)
    toast = toasts.show_message("Copied.")
    middle = QPointF(place(toast))
    QApplication.sendEvent(toast, QEnterEvent(middle, middle, middle))
    qtbot.wait(600)
    assert toasts.shown == [toast]
    toast.leaveEvent(module.QEvent(module.QEvent.Type.Leave))
    qtbot.waitUntil(lambda: toasts.shown == [], timeout=5000)


@pytest.mark.parametrize("tone", ["bad", "warning"])
def test_a_failure_stays(
    tone: str, toasts: Toasts, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUIET_MS", 100)
    toast = toasts.show_message("It failed.", tone)
    toast.leaveEvent(module.QEvent(module.QEvent.Type.Leave))
    qtbot.wait(400)
    assert toasts.shown == [toast]


def test_at_most_three_the_newest_last(toasts: Toasts) -> None:
    for number in range(5):
        toasts.show_message(f"Message {number}.", "bad")
    assert toasts.texts.splitlines() == ["Message 4.", "Message 3.", "Message 2."]
    tops = [toast.y() for toast in toasts.shown]
    assert tops == sorted(tops, reverse=True)
    assert len(toasts._all) == MOST


def test_the_same_message_is_there_once(toasts: Toasts) -> None:
    for _ in range(4):
        toasts.show_message("No answer.", "bad")
    assert toasts.texts == "No answer."


def test_an_error_ends_with_its_cause(toasts: Toasts) -> None:
    toasts.show_message("Quantize failed.", "bad", about="work:quantize")
    toasts.show_message("Profile failed.", "bad", about="work:profile")
    toasts.solved("work:quantize")
    assert toasts.texts == "Profile failed."


@pytest.mark.parametrize("width", [800, 500])
def test_they_are_next_to_an_open_panel(
    area: QWidget, toasts: Toasts, width: int, qtbot: QtBot
) -> None:
    """The area is a part of the window; the panel is over the window's right edge."""
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(width + 40, 500)
    area.setParent(window)
    area.setGeometry(40, 0, width, 500)
    panel = SidePanel("Activity", Theming("dark"), window)
    panel.setGeometry(window.width() - 400, 0, 400, 500)
    window.show()
    area.show()
    toast = toasts.show_message("It failed.", "bad")
    alone = toast.geometry()
    assert alone.right() == width - 17
    panel.show()
    toasts.place()
    assert toast.x() >= 0
    assert toast.width() >= 200
    if width == 800:
        assert toast.mapTo(window, QPoint(toast.width(), 0)).x() <= panel.x()
        assert toast.width() == alone.width()
    panel.hide()
    toasts.place()
    assert toast.geometry() == alone
    area.setParent(None)


def test_details_open_within_the_area(area: QWidget, toasts: Toasts, qtbot: QtBot) -> None:
    toast = toasts.show_message("It failed.", "bad", "", "line\n" * 400)
    assert toast.detail.isHidden()
    height = toast.height()
    toast.details.click()
    assert toast.detail.isVisible()
    assert toast.height() > height
    assert area.rect().contains(toast.geometry())


@pytest.mark.parametrize("width", [320, 960, 3840])
def test_it_follows_the_size_of_the_window(area: QWidget, toasts: Toasts, width: int) -> None:
    toast = toasts.show_message("A sentence that is long enough for two lines at least. " * 3)
    area.resize(QSize(width, 400))
    QApplication.processEvents()
    assert area.rect().contains(toast.geometry())
    assert toast.sentence.height() >= toast.sentence.heightForWidth(toast.sentence.width())


def test_a_message_with_more_takes_the_place_of_what_it_repeats(toasts: Toasts) -> None:
    toasts.show_message("The file is gone.", "bad")
    toasts.show_message("Deployed.", "good")
    toasts.show_message("Run it all stopped: The file is gone.", "bad")
    assert toasts.texts.splitlines() == ["Run it all stopped: The file is gone.", "Deployed."]
