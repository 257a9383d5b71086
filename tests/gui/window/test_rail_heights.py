"""All stages of the rail are equally high, and all of them show their results or none does."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.gui.theme import Theming
from studio.gui.window.rail import LEAST_HEIGHT, RESULT_HEIGHT, Rail
from studio.gui.window.stages import STAGES


@pytest.mark.parametrize("height", [512, 540, 580, 620, 638, 640, 660, 720, 900])
def test_stages_are_equally_high(qtbot: QtBot, height: int) -> None:
    rail = Rail(STAGES, Theming("light"))
    qtbot.addWidget(rail)
    rail.resize(rail.width(), height)
    rail.show()
    QApplication.processEvents()
    for at_bottom in (False, True):
        heights = {
            button.height() for button in rail.buttons() if button.stage.at_bottom is at_bottom
        }
        assert len(heights) == 1, heights
        assert min(heights) >= LEAST_HEIGHT


def test_a_window_of_720_pixels_shows_results(qtbot: QtBot) -> None:
    rail = Rail(STAGES, Theming("light"))
    qtbot.addWidget(rail)
    rail.resize(rail.width(), 640)  # less the bars above and below
    rail.show()
    QApplication.processEvents()
    assert rail.buttons()[0].height() == RESULT_HEIGHT
