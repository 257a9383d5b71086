"""The bar of a page's views: what has no room goes into a menu, and nothing is cut."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from studio.gui.widgets.view_bar import ViewBar

TITLES = ("Deploy", "Roll out", "Boards", "History")
PANELS = ("Kubernetes", "Amazon SageMaker", "Azure ML", "Google Vertex AI")


@pytest.fixture
def bar(qtbot: QtBot) -> ViewBar:
    made = ViewBar("Deploy views", "Platforms")
    for title in TITLES:
        made.add(title)
    for title in PANELS:
        made.add(title, folded=True)
    qtbot.addWidget(made)
    made.resize(900, 40)
    made.show()
    return made


def in_menu(bar: ViewBar) -> list[str]:
    return [action.text() for action in bar._menu.actions()]


def test_panels_are_in_the_menu_and_the_pages_own_views_beside_each_other(bar: ViewBar) -> None:
    assert bar.shown() == list(TITLES)
    assert in_menu(bar) == list(PANELS)
    assert bar.menu_button.text() == "Platforms ▾"
    assert bar.index() == 0


def test_a_narrow_page_puts_views_into_the_menu_and_takes_them_out_again(bar: ViewBar) -> None:
    for width in range(900, bar.minimumSizeHint().width(), -20):
        bar.resize(width, 40)
        assert [*bar.shown(), *in_menu(bar)] == [
            *TITLES,
            *PANELS,
        ]
        needed = [c for c in bar.findChildren(QPushButton) if c.isVisibleTo(bar)]
        assert sum(button.sizeHint().width() for button in needed) <= width
    bar.resize(bar.minimumSizeHint().width(), 40)
    assert bar.shown() == []
    bar.resize(900, 40)
    assert bar.shown() == list(TITLES)


def test_the_view_in_the_menu_names_the_button(bar: ViewBar, qtbot: QtBot) -> None:
    with qtbot.waitSignal(bar.changed) as told:
        bar.set_index(5)
    assert told.args == [5]
    assert bar.menu_button.text() == "Amazon SageMaker ▾"
    assert bar.menu_button.isChecked()
    bar.set_index(1)
    assert bar.menu_button.text() == "Platforms ▾"
    assert not bar.menu_button.isChecked()


def test_a_bar_gives_way_to_its_neighbours(qtbot: QtBot, bar: ViewBar) -> None:
    holder = QWidget()
    layout = QHBoxLayout(holder)
    neighbour = QWidget()
    neighbour.setMinimumWidth(300)
    layout.addWidget(bar)
    layout.addWidget(neighbour, 1)
    qtbot.addWidget(holder)
    holder.resize(560, 60)
    with qtbot.waitExposed(holder):
        holder.show()
    layout.activate()
    assert bar.width() < 250
    assert len(bar.shown()) < len(TITLES)
    bar.setParent(None)  # two that are closed by the test must not own each other
