"""The App page with jobs that the test moves on by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.features.apps.edit import digest_of
from studio.features.apps.pages.app.page import AppPage
from tests.features.apps.pages.sample_app import TOML, check, open_checked
from tests.gui.page_rig import Rig, opened


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "gate"
    found.mkdir()
    (found / "app.toml").write_text(TOML, encoding="utf-8")
    return found


@pytest.fixture
def page(rig: Rig, folder: Path) -> AppPage:
    """The page with the app of the gate, which can run."""
    made = rig.page(AppPage)
    digest = digest_of((folder / "app.toml").read_bytes())
    open_checked(rig, made, folder, check(str(folder), digest=digest))
    return made
