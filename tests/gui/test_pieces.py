"""Parts of the window that are dressed in pieces, so that no turn of the event loop is long."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from studio.gui.pieces import MOST_WIDGETS, pieces, size
from studio.gui.theme import DARK, LIGHT, Theming, worn_by
from studio.gui.widgets.basics import Card, Scroll, label

CARDS, LINES = 6, 40


def _card() -> Card:
    card = Card("Card")
    for number in range(LINES):
        card.body.addWidget(label(f"Line {number}", "dim"))
    return card


@pytest.fixture
def view(qtbot: QtBot) -> Scroll:
    """A view with more widgets than one turn dresses."""
    made = Scroll()
    for _ in range(CARDS):
        made.body.addWidget(_card())
    qtbot.addWidget(made)
    return made


@pytest.fixture
def theming(view: Scroll) -> Theming:
    made = Theming(DARK, view)
    made.apply()
    made.dress(view)
    return made


def _is_in(theming: Theming, widget: QWidget) -> bool:
    return worn_by(widget) == theming.current.style_sheet()


def test_a_small_part_is_one_piece(qtbot: QtBot) -> None:
    card = _card()
    qtbot.addWidget(card)
    assert pieces(card) == ([card], [])


def test_a_large_part_is_divided_and_nothing_is_left_out(view: Scroll, theming: Theming) -> None:
    found, holders = pieces(view)
    assert view in holders
    assert len(found) >= CARDS
    assert max(map(size, found)) <= MOST_WIDGETS
    assert all(_is_in(theming, one) for one in view.findChildren(QLabel))
    assert theming.is_dressed(view)


def test_the_scroll_bar_of_a_divided_part_follows_the_theme(
    view: Scroll, theming: Theming, qtbot: QtBot
) -> None:
    view.resize(400, 300)
    view.show()
    bar = view.verticalScrollBar()
    qtbot.waitUntil(bar.isVisible)
    for choice in (LIGHT, DARK):
        theming.choose(choice)
        qtbot.waitUntil(view.updatesEnabled)
        handle = theming.current.color("border_strong")
        assert bar.grab().toImage().pixelColor(bar.width() // 2, 20) == handle


def test_what_has_a_look_of_its_own_is_not_divided(qtbot: QtBot) -> None:
    frame = QFrame()
    qtbot.addWidget(frame)
    frame.setProperty("role", "card")
    layout = QVBoxLayout(frame)
    for _ in range(MOST_WIDGETS + 1):
        layout.addWidget(label("line"))
    assert pieces(frame) == ([frame], [])


def test_what_a_divided_part_gets_later_is_dressed_before_it_is_painted(
    view: Scroll, theming: Theming, qtbot: QtBot
) -> None:
    view.show()
    later = _card()
    view.body.addWidget(later)
    later.show()
    assert _is_in(theming, later)
    theming.choose(LIGHT)
    qtbot.waitUntil(lambda: later.styleSheet() == theming.current.style_sheet())


def test_what_was_painted_elsewhere_is_dressed_in_the_next_turn(
    view: Scroll, theming: Theming, qtbot: QtBot
) -> None:
    moved = _card()
    moved.show()
    view.body.addWidget(moved)
    qtbot.waitUntil(lambda: _is_in(theming, moved))


def test_another_theme_is_painted_when_all_that_is_seen_wears_it(
    view: Scroll, theming: Theming, qtbot: QtBot
) -> None:
    view.show()
    labels = [one for one in view.findChildren(QLabel) if one.isVisible()]
    dressed: list[bool] = []
    theming.changed.connect(lambda: dressed.append(all(_is_in(theming, one) for one in labels)))
    theming.choose(LIGHT)
    assert not view.updatesEnabled()
    qtbot.waitUntil(view.updatesEnabled)
    assert dressed == [True]
    qtbot.waitUntil(lambda: theming.is_dressed(view))


def test_a_part_that_is_shown_is_not_painted_before_it_is_dressed(
    view: Scroll, theming: Theming, qtbot: QtBot
) -> None:
    announced: list[bool] = []
    theming.choose(LIGHT)
    qtbot.waitUntil(lambda: theming.is_dressed(view))
    theming.changed.connect(lambda: announced.append(True))
    window = QWidget()
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    others = [_card() for _ in range(CARDS)]
    for card in others:
        layout.addWidget(card)
    window.show()
    theming.dress_shown(others)
    assert not window.updatesEnabled() or all(map(theming.is_dressed, others))
    qtbot.waitUntil(window.updatesEnabled)
    assert all(map(theming.is_dressed, others))
    assert announced == []


def test_a_piece_that_is_deleted_is_forgotten(view: Scroll, theming: Theming, qtbot: QtBot) -> None:
    known = len(theming._worn)
    gone = view.findChildren(Card)[0]
    gone.deleteLater()
    qtbot.waitUntil(lambda: len(theming._worn) == known - 1)
    theming.choose(LIGHT)
    qtbot.waitUntil(lambda: theming.is_dressed(view))


def test_a_piece_that_appears_late_is_dressed_before_it_is_painted(
    view: Scroll, theming: Theming, qtbot: QtBot
) -> None:
    hidden = view.findChildren(Card)[0]
    hidden.hide()
    view.show()
    theming.choose(LIGHT)
    qtbot.waitUntil(view.updatesEnabled)
    assert not _is_in(theming, hidden)
    hidden.show()
    assert not view.updatesEnabled()
    qtbot.waitUntil(view.updatesEnabled)
    assert _is_in(theming, hidden)
