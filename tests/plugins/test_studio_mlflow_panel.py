"""The panel of MLflow against a window that notes what it is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

pytest.importorskip("PySide6.QtWidgets")

from studio.api import Option, validate
from studio.api.qt import RunningStep, StepEnd
from studio.api.testing_panels import BlankForm, NotingHost, check_panel
from studio_mlflow.panel import RegistryPanel, Table

REGISTRY = "http://127.0.0.1:5000"
MODELS = {
    "registry": REGISTRY,
    "models": [{"name": "digits", "latest": "2", "aliases": {"champion": "1"}}],
}
DETAILS = {
    "registry": REGISTRY,
    "name": "digits",
    "versions": [
        {"version": "2", "aliases": [], "created": "2026-11-24T10:00:00", "release": "bb" * 32},
        {"version": "1", "aliases": ["champion"], "created": "2026-11-23T10:00:00", "release": ""},
    ],
    "history": [
        {"at": "2026-11-24T10:01:00", "version": "1", "what": "alias", "text": "champion by ann"}
    ],
}


class Form(BlankForm):
    """A form in which something was entered."""

    def __init__(self, options: Sequence[Option], entered: Mapping[str, Any]) -> None:
        super().__init__(options)
        self._entered = {k: v for k, v in entered.items() if k in {o.name for o in options}}
        self._all = options

    def values(self) -> dict[str, Any]:
        found = validate(self._all, self._entered)
        return {name: value for name, value in found.items() if value is not None}


class Window(NotingHost):
    """A window whose steps run until the test ends them."""

    def __init__(self, model: str = "#12", **entered: Any) -> None:
        super().__init__()
        self._model = model
        self.entered = entered
        self.running: list[RunningStep] = []

    def model(self) -> str:
        return self._model

    def form(self, options: Sequence[Option], *, columns: int = 1) -> BlankForm:
        return Form(options, self.entered)

    def start(self, step: str, /, **options: object) -> RunningStep | None:
        super().start(step, **options)
        self.running.append(RunningStep())
        return self.running[-1]

    def end(self, **values: Any) -> None:
        """End the step that was started last."""
        self.running[-1].finished.emit(StepEnd(**values))


def opened(window: Window) -> RegistryPanel:
    panel = check_panel(RegistryPanel, window)
    assert isinstance(panel, RegistryPanel)
    return panel


def shown(table: Table) -> list[list[str]]:
    rows, columns = range(table.rowCount()), range(table.columnCount())
    return [[item.text() if (item := table.item(r, c)) else "" for c in columns] for r in rows]


def chosen(window: Window) -> RegistryPanel:
    """A panel that shows the versions of a model, the first of which is chosen."""
    panel = opened(window)
    panel.look_button.click()
    window.end(ok=True, result=MODELS)
    panel.models.selectRow(0)
    window.end(ok=True, result=DETAILS)
    panel.versions.selectRow(0)
    return panel


def test_models_versions_and_history_are_shown(qtbot: Any) -> None:
    window = Window(registry="lab")
    panel = chosen(window)
    assert window.started == [
        ("registry-list", {"registry": "lab"}),
        ("registry-list", {"registry": "lab", "name": "digits"}),
    ]
    assert shown(panel.models) == [["digits", "2", "champion 1"]]
    assert shown(panel.versions)[0] == ["2", "", "2026-11-24 10:00", "b" * 12]
    assert shown(panel.events) == [["2026-11-24 10:01", "1", "alias", "champion by ann"]]


def test_the_current_variant_is_pushed(qtbot: Any) -> None:
    window = Window(name="net", alias="challenger")
    panel = opened(window)
    panel.push_button.click()
    asked = {"registry": "mlflow", "model": "#12", "name": "net", "alias": ["challenger"]}
    assert window.started == [("registry-push", asked)]
    assert not panel.push_button.isEnabled(), "one at a time"
    window.end(ok=True, result={"name": "net", "version": "3"})
    assert window.said == ["Version 3 of net is registered."]
    assert window.started[-1] == ("registry-list", {"registry": "mlflow", "name": "net"})


def test_the_chosen_version_is_pulled(qtbot: Any) -> None:
    window = Window()
    panel = chosen(window)
    panel.pull_button.click()
    assert window.started[-1] == ("registry-pull", {"registry": "mlflow", "name": "digits/2"})


def test_an_alias_is_given_to_the_chosen_version(qtbot: Any) -> None:
    window = Window(alias="champion")
    panel = chosen(window)
    panel.alias_button.click()
    asked = {"registry": "mlflow", "name": "digits", "alias": "champion", "version": "2"}
    assert window.started[-1] == ("registry-alias", asked)


def test_an_alias_must_be_named(qtbot: Any) -> None:
    window = Window()
    panel = chosen(window)
    panel.alias_button.click()
    assert window.said == ["Enter an alias first: champion, challenger…"]


def test_an_error_is_left_to_the_window_and_the_panel_goes_on(qtbot: Any) -> None:
    window = Window()
    panel = opened(window)
    panel.look_button.click()
    window.end(ok=False, sentence="The server is away.", hint="Check that it is running.")
    assert panel.state.text() == "The last request failed."
    assert not window.said, "the window shows the reason of every failed job"
    assert panel.look_button.isEnabled()


def test_without_a_model_nothing_can_be_pushed(qtbot: Any) -> None:
    panel = opened(Window(model=""))
    assert not panel.push_button.isEnabled()
    assert panel.push_button.toolTip() == "Open a model first."
    assert panel.pull_button.toolTip() == "Select a version."
