"""The Plugins page: states with reasons, and the line that installs what lacks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from studio.gui.pages.plugins import PluginsPage
from tests.gui.page_rig import Rig, opened, texts, visible_texts

LACKING = """
id = "studio_example"
name = "Example"
version = "2.1"
api = 1
requires = ["no-such-library>=3"]
permissions = ["network"]
[[backends]]
id = "example"
title = "Example runtime"
factory = "studio_example.backend:Backend"
"""


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    for name, text in (("studio_example", LACKING), ("studio_broken", "id = ")):
        folder = studio_home / "config" / "plugins" / name
        folder.mkdir(parents=True)
        (folder / "plugin.toml").write_text(text)
    with opened(studio_home, tmp_path) as made:
        yield made


def test_every_plugin_has_a_state_in_a_word(rig: Rig) -> None:
    page = rig.page(PluginsPage)
    rows = {row[1]: row for row in texts(page.table)}
    assert rows["studio_onnxruntime"][-1] == "available"
    assert rows["studio_example"][2:] == ["2.1", "1 backend", "network", "unavailable"]
    assert rows["studio_broken"][-1] == "broken"


def test_missing_library_is_named_with_its_install_line(rig: Rig) -> None:
    page = rig.page(PluginsPage)
    ids = [row[1] for row in texts(page.table)]
    page.table.selectRow(ids.index("studio_example"))
    assert "no-such-library>=3 is not installed" in visible_texts(page)
    page.copy.click()
    assert QGuiApplication.clipboard().text() == "pip install 'no-such-library>=3'"
    page.table.selectRow(ids.index("studio_onnxruntime"))
    assert not page.copy.isVisible()
