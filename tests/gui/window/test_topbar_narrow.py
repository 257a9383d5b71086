"""The variants in the top bar of a narrow window."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from studio.gui.theme import Theming
from studio.gui.window.topbar import TopBar
from tests.gui.page_rig import opened


@pytest.mark.parametrize(("width", "count"), [(960, 3), (960, 9), (1280, 3), (1280, 9)])
def test_the_current_chip_is_never_cut(
    qtbot: QtBot, studio_home: Path, tmp_path: Path, width: int, count: int
) -> None:
    with opened(studio_home, tmp_path) as rig:
        first = rig.variant()
        variants = [first, *(rig.variant(f"int8-{n}", first) for n in range(2, count + 1))]
        bar = TopBar(Theming("light"), QMenu())
        qtbot.addWidget(bar)
        bar.resize(width, bar.height())
        bar.show_model("digits", variants, variants[-1].id)
        bar.show()
        for _ in range(3):
            QApplication.processEvents()
        chip = bar.chips()[-1]
        row = bar._chips.viewport()
        place = QRect(chip.mapTo(row, QPoint(0, 0)), chip.size())
        assert row.rect().contains(place)
