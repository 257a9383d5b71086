"""The tiles of targets: how many stand in a line, and how wide they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.gui.pages.deploy.gallery import GAP, TILE_WIDTH, Gallery
from studio.gui.pages.deploy.page import DeployPage
from tests.gui.page_rig import Rig, opened


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        yield made


def test_a_scroll_bar_that_comes_and_goes_leaves_the_columns_as_they_are(rig: Rig) -> None:
    """A line of tiles more brings the bar, and a line less takes it away again."""
    page = rig.page(DeployPage)
    gallery = Gallery(rig.shell.theming)
    gallery.show_targets([], {}, {}, page._sheets.kinds)
    four = 4 * TILE_WIDTH + 3 * GAP
    found = []
    for width in (four, four - 10, four, four - 10, four, four + 10, four - 1, 2000):
        gallery.resize(width, 600)
        gallery._place()
        found.append(gallery._columns)
    assert found == [4, 3, 3, 3, 3, 4, 3, 9]
    assert gallery.minimumSizeHint().width() == TILE_WIDTH


def test_tiles_of_a_line_are_equally_wide(rig: Rig) -> None:
    page = rig.page(DeployPage, rig.variant())
    gallery = Gallery(rig.shell.theming)
    gallery.resize(1100, 600)  # as in a window that is shown at its size
    gallery.show_targets([], {}, {}, page._sheets.kinds)
    layout = gallery.layout()
    assert layout is not None
    layout.setGeometry(gallery.rect())
    widths = [tile.width() for tile in gallery.kind_tiles.values()]
    assert len(widths) > 3
    assert max(widths) - min(widths) <= 1  # the rest of the division
