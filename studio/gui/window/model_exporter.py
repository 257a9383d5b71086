"""The current model on its way to another format: asked, installed, exported."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, cast

from studio.gui.shell import MessageAction
from studio.gui.window.model_converter import show_warnings

if TYPE_CHECKING:
    from PySide6.QtWidgets import QMainWindow

    from studio.gui.shell import WindowParts
    from studio.gui.window.dialogs.export import ExportDialog
    from studio.workspace import ConversionResult, Export, JobOutcome, RunningJob

_INSTALL, _EXPORT = "environment-install", "export"


class ModelExporter:
    """The exporter of the current model.

    Attributes:
        dialog: The question while it is shown.
    """

    def __init__(self, window: WindowParts) -> None:
        self._window = window
        self._installing: dict[str, tuple[Export, int, Mapping[str, object]]] = {}
        self._exporting: dict[str, tuple[str, int]] = {}
        self.dialog: ExportDialog | None = None

    def offer(self) -> None:
        """Ask which format the current model is exported to."""
        # Not at the top: the window opens before the workspace is loaded.
        from studio.gui.window.dialogs.export import ExportDialog
        from studio.workspace import exports

        variant = self._window.current.variant
        if variant is None:
            return
        found = exports(self._window.workspace.plugins, variant.format)
        form = self._window.workspace.steps[_EXPORT].form
        name = f"{variant.model_name} {variant.name}"
        agreed = partial(self._begin, variant.id)
        # A dialog of the top bar, so that it is dressed.
        parent = cast("QMainWindow", self._window.widget).menuWidget() or self._window.widget
        self.dialog = ExportDialog(name, found, form, agreed, parent)
        self.dialog.finished.connect(self._closed)
        self.dialog.open()

    def _closed(self) -> None:
        self.dialog = None

    def _begin(self, variant: int, export: Export, options: Mapping[str, object]) -> None:
        """Install what is missing, one environment after the other, and export then."""
        if not export.missing:
            self._export(export, variant, options)
            return
        plugin, _ = export.missing[0]
        job = self._window.start(_INSTALL, name=plugin.id)
        if job is not None:
            left = _without_first(export)
            self._installing[job.id] = (left, variant, options)

    def _export(self, export: Export, variant: int, options: Mapping[str, object]) -> None:
        job = self._window.start(_EXPORT, model=f"#{variant}", to=export.target, **options)
        if job is not None:
            self._exporting[job.id] = (export.title, variant)

    def on_finished(self, job: RunningJob, outcome: JobOutcome) -> None:
        """Continue when a job has ended."""
        if (waiting := self._installing.pop(job.id, None)) is not None:
            export, variant, options = waiting
            if outcome.ok:
                self._begin(variant, export, options)
        elif (exported := self._exporting.pop(job.id, None)) is not None and outcome.ok:
            self._report(*exported, outcome.result)

    def _report(self, title: str, variant: int, result: ConversionResult) -> None:
        show_warnings(self._window, result, variant)
        text = f"{result.model} is written as {title}."
        for check in result.checks:
            text += f" Next to {check.against} it differs by {check.max_error:.0e} at most."
        if result.variant:
            show = MessageAction("Show it", partial(self._window.select, result.variant))
            self._window.notify(text, "good", show)
        else:
            self._window.notify(f"{text} It is in {result.output}.", "good")


def _without_first(export: Export) -> Export:
    from dataclasses import replace

    return replace(export, missing=export.missing[1:])
