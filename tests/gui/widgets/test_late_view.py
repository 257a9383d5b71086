"""Views that are made after their page: when they are shown, when they are needed, or in idle."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QStackedWidget
from pytestqt.qtbot import QtBot

from studio.gui.widgets.late_view import LateView


class _Made:
    """Counts the views that were made."""

    def __init__(self) -> None:
        self.views: list[QLabel] = []

    def __call__(self) -> QLabel:
        self.views.append(QLabel("made"))
        return self.views[-1]


def test_a_view_is_made_once_and_when_it_is_first_needed(qtbot: QtBot) -> None:
    made = _Made()
    late = LateView(made)
    qtbot.addWidget(late)
    assert made.views == []
    assert late.view is late.view is made.views[0]
    assert len(made.views) == 1
    assert late.isAncestorOf(late.view)


def test_a_view_is_made_when_it_is_shown(qtbot: QtBot) -> None:
    made = _Made()
    stack = QStackedWidget()
    qtbot.addWidget(stack)
    stack.addWidget(QLabel("first"))
    late = LateView(made)
    stack.addWidget(late)
    stack.show()
    assert made.views == []
    stack.setCurrentWidget(late)
    assert [one.isVisible() for one in made.views] == [True]
