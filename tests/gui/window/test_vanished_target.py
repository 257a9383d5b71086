"""A target that another studio removes while its page is open: one sentence, and it is gone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytestqt.qtbot import QtBot

from studio.api import TargetSpec
from studio.gui.pages.deploy.page import DeployPage
from studio.gui.pages.monitor.page import MonitorPage
from studio.gui.pages.targets.page import TargetsPage
from studio.gui.window.main_window import MainWindow
from studio.registry import Registry

ROOF = "roof"


@pytest.fixture
def board(digits_window: MainWindow) -> MainWindow:
    """A window that knows a board, on which something was released twice."""
    digits_window.workspace.add_target(TargetSpec(ROOF, "ssh://nobody@127.0.0.1:1"))
    registry = digits_window.workspace.registry
    for number in (1, 2):
        digest = f"{number}" * 64
        registry.add_release(ROOF, None, digest, "serving", {"version": number, "name": "digits"})
    return digits_window


def remove_elsewhere(window: MainWindow) -> None:
    """What ``studio target remove`` does in another process: this window hears nothing of it."""
    other = Registry.open(window.workspace.registry.folder)
    other.remove_target(ROOF)
    other.close()


def on_deploy(window: MainWindow) -> DeployPage:
    window.go("deploy")
    page = window.page()
    assert isinstance(page, DeployPage)
    page.gallery.choose(ROOF)
    assert page._selected() is not None
    return page


@pytest.mark.parametrize("act", [DeployPage.plan, DeployPage.deploy])
def test_a_deployment_to_it_is_refused_in_one_sentence(
    board: MainWindow, qtbot: QtBot, act: Callable[[DeployPage], None]
) -> None:
    page = on_deploy(board)
    remove_elsewhere(board)
    act(page)
    qtbot.waitUntil(lambda: ROOF not in page.gallery.tiles)
    assert [toast.sentence.text() for toast in board.toasts.shown] == ["Unknown target: 'roof'."]
    assert not page.strip.running
    assert page.gallery.selected == "local"
    assert board.workspace.registry.releases("local") == []


def test_a_probe_of_it_is_refused_in_one_sentence(board: MainWindow, qtbot: QtBot) -> None:
    board.go("targets")
    page = board.page()
    assert isinstance(page, TargetsPage)
    page._select(ROOF)
    remove_elsewhere(board)
    page.probe_button.click()
    qtbot.waitUntil(lambda: ROOF not in [target.name for target in page._targets])
    assert [toast.sentence.text() for toast in board.toasts.shown] == ["Unknown target: 'roof'."]


def test_to_remove_it_once_more_does_no_harm(board: MainWindow) -> None:
    board.go("targets")
    page = board.page()
    assert isinstance(page, TargetsPage)
    page._select(ROOF)
    remove_elsewhere(board)
    page.remove_button.click()
    page.confirm_removal.click()
    assert len(board.toasts.shown) == 1
    assert ROOF not in [target.name for target in page._targets]


def test_a_rollback_on_it_is_refused_in_one_sentence(board: MainWindow, qtbot: QtBot) -> None:
    board.go("monitor")
    page = board.page()
    assert isinstance(page, MonitorPage)
    page.open_endpoint(ROOF)
    remove_elsewhere(board)
    page._roll_back("1")
    assert board.toasts.shown[-1].sentence.text() == "Unknown target: 'roof'."
    qtbot.waitUntil(lambda: ROOF not in [target.name for target in page.choice.targets])
    assert not page.switching.running
    releases = board.workspace.registry.releases(ROOF)
    assert [release.facts.version for release in releases] == [2, 1], "its history is kept"
