"""Steps that start from an approved plan alone: the window makes the plan, and starts nothing."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from studio.api import TargetSpec
from studio.gui.window.main_window import MainWindow
from studio.plans.plans import Plans


@pytest.fixture
def protected(digits_window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> MainWindow:
    """The window with a protected target, which is not reached."""
    monkeypatch.setattr(Plans, "_live", lambda self, names: {})
    workspace = digits_window.workspace
    workspace.add_target(TargetSpec("cam-1", "ssh://pi@192.0.2.1"))
    workspace.registry.labels.change("cam-1", {"approval": "required"})
    return digits_window


def test_its_plan_waits_and_is_one_click_away(protected: MainWindow, qtbot: QtBot) -> None:
    plans = protected.workspace.plans
    assert protected.start("undeploy", target="cam-1", purge=None) is None
    qtbot.waitUntil(lambda: plans.waiting() == 1)
    assert protected.workspace.jobs == []
    qtbot.waitUntil(lambda: "waits for the approval" in protected.toasts.texts)
    (entry,) = plans.all()
    assert (entry.plan.step, entry.plan.targets) == ("undeploy", ("cam-1",))
    assert entry.plan.needs_second


def test_a_plan_that_cannot_be_made_is_shown(protected: MainWindow, qtbot: QtBot) -> None:
    assert protected.start("undeploy", target="cam-1", no_such=True) is None
    assert protected.workspace.plans.waiting() == 0
    assert "no_such" in protected.toasts.texts
