"""Pages of the window: made in pieces before their visit, or at once by it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QLabel, QStackedWidget
from pytestqt.qtbot import QtBot

from studio.gui.widgets.late_view import LateView
from studio.gui.window.pages import Pages
from studio.gui.window.stages import Stage

STAGE = Stage("one", "One", "", "")
PIECES = 3


class _Page(QStackedWidget):
    """A page of three pieces with two views that are made late."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces = 0
        self.events: list[object] = []
        self.views: list[QLabel] = []
        for _number in range(2):
            self.addWidget(LateView(self._view))

    def _view(self) -> QLabel:
        self.views.append(QLabel("made"))
        return self.views[-1]

    def build(self) -> Iterator[None]:
        for _number in range(PIECES):
            self.pieces += 1
            yield

    def on_event(self, event: object) -> None:
        self.events.append(event)


class _Made:
    """Pages with a record of what was created and what is complete."""

    def __init__(self, qtbot: QtBot) -> None:
        self._qtbot = qtbot
        self.created: list[_Page] = []
        self.adopted: list[_Page] = []
        self.pages = Pages(self._create, self.adopted.append)  # type: ignore[arg-type]

    def _create(self, _stage: str) -> _Page:
        self.created.append(_Page())
        self._qtbot.addWidget(self.created[-1])
        return self.created[-1]


@pytest.fixture
def made(qtbot: QtBot) -> _Made:
    return _Made(qtbot)


def test_a_page_is_complete_after_all_its_pieces(made: _Made) -> None:
    states = [
        (made.created[0].pieces, len(made.adopted), len(list(made.pages)))
        for _ in made.pages.making("one")
    ]
    assert states == [(0, 0, 0), (1, 0, 0), (2, 0, 0), (3, 0, 0)]
    assert list(made.pages) == made.adopted == made.created


def test_a_visit_does_all_that_is_left_and_makes_no_second_page(made: _Made) -> None:
    ahead = made.pages.making("one")
    next(ahead)
    page = made.pages.get("one")
    assert made.created == [page]
    assert made.created[0].pieces == PIECES
    assert list(ahead) == []
    assert made.pages.get("one") is page
    assert len(made.adopted) == 1


def test_an_event_between_two_pieces_reaches_the_page_when_it_is_complete(made: _Made) -> None:
    ahead = made.pages.making("one")
    next(ahead)
    made.pages.on_event("changed")  # type: ignore[arg-type]
    assert made.created[0].events == []
    page = made.pages.get("one")
    made.pages.on_event("later")  # type: ignore[arg-type]
    assert page is made.created[0]
    assert made.created[0].events == ["changed", "later"]


def test_a_page_that_cannot_be_made_is_tried_again_by_a_visit(qtbot: QtBot) -> None:
    tried: list[str] = []

    def create(stage: str) -> _Page:
        tried.append(stage)
        raise ImportError(stage)

    pages = Pages(create, tried.append)  # type: ignore[arg-type]
    assert list(pages.ahead([STAGE])) == []
    with pytest.raises(ImportError):
        pages.get("one")
    assert tried == ["one", "one"]


def test_late_views_are_made_in_idle_turns_of_their_own(made: _Made) -> None:
    counts = [
        (made.created[0].pieces, len(made.created[0].views)) for _ in made.pages.ahead([STAGE])
    ]
    assert counts == [(0, 0), (1, 0), (2, 0), (3, 0), (3, 0), (3, 1), (3, 2)]
