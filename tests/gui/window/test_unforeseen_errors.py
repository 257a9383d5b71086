"""An unexpected exception in the work of a step: the window shows its text, never its class."""

from __future__ import annotations

from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from studio.api import StudioError
from studio.documents.defects import DEFECT
from studio.gui.window.main_window import MainWindow
from studio.jobs import JobSpec
from studio.steps import runner
from studio.steps.catalogue import steps
from tests.unit.jobs.works import UnheardOfFault

_SENTENCE = "Unexpected error: knot 4711."
_LEAST = 20
"""Steps that start with a model and its data alone."""


def _failing(**values: Any) -> JobSpec:
    return JobSpec(**{**values, "entry": "tests.unit.jobs.works:unforeseen"})


def test_the_window_shows_no_class_of_an_exception(
    digits_window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "JobSpec", _failing)
    workspace, failed = digits_window.workspace, 0
    for name, step in steps().items():
        known = {option.name for option in step.form}
        given = {key: value for key, value in (("model", "1"), ("target", "local")) if key in known}
        try:
            job = workspace.start(name, **given)
        except StudioError:
            continue  # it wants more
        outcome = job.wait(60)
        assert outcome is not None
        digits_window.toasts.show_end(outcome, name)
        shown = digits_window.toasts.texts
        assert UnheardOfFault.__name__ not in shown
        failed += _SENTENCE in shown and outcome.hint == DEFECT
    assert failed >= _LEAST
    digits_window.fail(UnheardOfFault("knot 4711"))
    assert _SENTENCE in digits_window.toasts.texts
    assert UnheardOfFault.__name__ not in digits_window.toasts.texts
