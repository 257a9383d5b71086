"""The panel of containers against a window that notes what it is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

pytest.importorskip("PySide6.QtWidgets")

from studio.api import Option, TargetSpec, validate
from studio.api.qt import RunningStep, StepEnd
from studio.api.testing_panels import BlankForm, NotingHost, check_panel
from studio_docker.panel import ImagePanel

ENGINE = "Docker 26.1 at unix:///run/d.sock"
MADE = {
    "image": "digits:1",
    "image_bytes": 226_000_000,
    "parts": {"base": 90_000_000, "libraries": 136_000_000},
    "pushed": "",
    "next": "",
}


class FilledForm(BlankForm):
    """A form in which something was entered."""

    def __init__(self, options: Sequence[Option], entered: Mapping[str, Any]) -> None:
        super().__init__(options)
        self._entered = {k: v for k, v in entered.items() if k in {o.name for o in options}}
        self._all = options

    def values(self) -> dict[str, Any]:
        """What was entered, else the defaults."""
        found = validate(self._all, self._entered)
        return {name: value for name, value in found.items() if value is not None}


class Window(NotingHost):
    """A window in which a model is open, and steps run until the test ends them."""

    def __init__(self, targets: Sequence[TargetSpec] = (), **entered: Any) -> None:
        super().__init__(targets)
        self.entered = {"tag": "digits:1", "name": "lab", **entered}
        self.known: dict[str, Mapping[str, Any]] = {}
        self.steps: list[RunningStep] = []

    def model(self) -> str:
        return "#12"

    def facts(self, target: str) -> Mapping[str, Any]:
        return self.known.get(target, {})

    def form(self, options: Sequence[Option], *, columns: int = 1) -> BlankForm:
        return FilledForm(options, self.entered)

    def start(self, step: str, /, **options: object) -> RunningStep | None:
        super().start(step, **options)
        self.steps.append(RunningStep())
        return self.steps[-1]


@pytest.mark.usefixtures("qtbot")
class TestPanel:
    def test_it_is_a_panel(self) -> None:
        panel = check_panel(ImagePanel)
        assert isinstance(panel, ImagePanel)
        assert not panel.image.build.isEnabled()
        assert panel.image.outcome.text() == "Open a model first."

    def test_an_engine_is_looked_for_and_found(self) -> None:
        window = Window()
        panel = ImagePanel(window)
        panel.engines.add_engine()
        assert [target.url for target in window.targets()] == ["docker:lab"]
        assert window.started == [("target-probe", {"target": "lab"})]
        result = {"where": ENGINE, "arch": "x86_64", "memory_mb": 900}
        window.steps[0].finished.emit(StepEnd(True, result))
        assert panel.engines.state.text() == f"lab: {ENGINE}, x86_64, 900 MB"

    def test_no_engine_says_why_and_how_to_go_on(self) -> None:
        window = Window([TargetSpec("lab", "docker:lab")])
        panel = ImagePanel(window)
        panel.refresh()
        panel.refresh()
        assert len(window.started) == 1, "it is asked once"
        end = StepEnd(False, sentence="No container engine.", hint="Install one.")
        window.steps[0].finished.emit(end)
        text = panel.engines.state.text()
        assert text.startswith("No container engine. Install one.")
        assert "docker load" in text

    def test_an_image_is_built(self) -> None:
        window = Window(size_budget_mb=300, licence="MIT")
        panel = ImagePanel(window)
        panel.refresh()
        panel.image.build.click()
        ((step, options),) = window.started
        assert step == "image"
        assert (options["model"], options["image"]) == ("#12", "digits:1")
        chosen = options["set"]
        assert isinstance(chosen, list)
        assert {"licence=MIT", "size_budget_mb=300", "variant=cpu"} <= set(chosen)
        assert not panel.image.build.isEnabled()
        running = window.steps[0]
        running.progressed.emit(0, 3, "Writing the layer libraries")
        running.progressed.emit(1, 3, "Writing the layer libraries")
        running.finished.emit(StepEnd(True, MADE, "Done."))
        assert panel.image.log.toPlainText().splitlines() == [
            "Writing the layer libraries",
            "Done.",
        ]
        assert panel.image.gauge.format() == "226 of 300 MB"
        assert "base 90.0 MB, libraries 136.0 MB" in panel.image.outcome.text()
        assert panel.image.build.isEnabled()

    def test_a_refusal_is_shown(self) -> None:
        window = Window()
        panel = ImagePanel(window)
        panel.refresh()
        panel.image.build.click()
        end = StepEnd(False, sentence="The registry wants a login.", hint="docker login R")
        window.steps[0].finished.emit(end)
        assert panel.image.outcome.text() == "The registry wants a login. docker login R"

    def test_a_name_that_no_image_can_have(self) -> None:
        window = Window(tag="Not A Name")
        panel = ImagePanel(window)
        panel.refresh()
        panel.image.build.click()
        assert window.started == []
        assert "Invalid image name" in window.said[0]
