"""The conformance suite of panels: one is made, dressed and used with a window that is not there.

It needs Qt, and an application without a screen where there is none (``QT_QPA_PLATFORM``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QWidget

from studio.api.options import Option, validate
from studio.api.qt import Panel, PanelHost, RunningStep
from studio.api.targets import TargetSpec


class BlankForm:
    """A form in which nothing was entered."""

    def __init__(self, options: Sequence[Option]) -> None:
        self.widget = QWidget()
        self._options = [option for option in options if not option.required]

    def check(self) -> bool:
        """All of it fits."""
        return True

    def values(self) -> dict[str, Any]:
        """The defaults."""
        found = validate(self._options, {})
        return {name: value for name, value in found.items() if value is not None}

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Do nothing."""

    def refresh(self) -> None:
        """There is nothing to choose from."""

    def on_submit(self, call: Callable[[], object]) -> None:
        """Nobody presses Enter."""


class NotingHost:
    """A PanelHost that notes what a panel asks for, and starts nothing.

    Attributes:
        started: Step and options of each step that was asked for.
        said: Every sentence, of errors as well.
    """

    def __init__(self, targets: Sequence[TargetSpec] = ()) -> None:
        self.started: list[tuple[str, dict[str, object]]] = []
        self.said: list[str] = []
        self._targets = list(targets)

    def start(self, step: str, /, **options: object) -> RunningStep | None:
        """Note it, and be a window that could not start it."""
        self.started.append((step, options))
        return None

    def targets(self) -> Sequence[TargetSpec]:
        """Those of the test."""
        return list(self._targets)

    def facts(self, target: str) -> Mapping[str, Any]:
        """Nothing is known."""
        return {}

    def add_target(self, target: TargetSpec) -> bool:
        """Add it."""
        self._targets.append(target)
        return True

    def remove_target(self, name: str) -> bool:
        """Forget it."""
        self._targets = [target for target in self._targets if target.name != name]
        return True

    def model(self) -> str:
        """No model is open."""
        return ""

    def model_file(self) -> str:
        """No model is open."""
        return ""

    def form(self, options: Sequence[Option], *, columns: int = 1) -> BlankForm:
        """A form in which nothing was entered."""
        return BlankForm(options)

    def say(self, text: str, tone: str = "") -> None:
        """Note it."""
        self.said.append(text)

    def fail(self, error: BaseException) -> None:
        """Note it."""
        self.said.append(str(error))

    def color(self, token: str) -> QColor:
        """Some colour."""
        return QColor("#4488cc")


def check_panel(make: Callable[[PanelHost], Panel], host: NotingHost | None = None) -> Panel:
    """A panel is made, refreshed and dressed, without targets and without a model.

    Returns:
        The panel, for checks of one's own.
    """
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    if QCoreApplication.instance() is None:
        QApplication([])
    host = host or NotingHost()
    panel = make(host)
    assert isinstance(panel, Panel), "the factory makes a studio.api.qt.Panel"
    assert panel.host is host, "Panel.__init__ was not called with the host"
    panel.refresh()
    panel.redress()
    assert not panel.grab().isNull(), "it can be painted"
    assert not [step for step, _ in host.started if step != "target-probe"], (
        "a panel starts nothing by itself, but for looking at a target"
    )
    return panel
