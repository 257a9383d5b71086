"""Models of other frameworks on their way into the window: asked, installed, converted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, cast

from studio.gui.shell import MessageAction

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QMainWindow

    from studio.gui.shell import WindowParts
    from studio.gui.window.dialogs.conversion import ConversionDialog
    from studio.workspace import Conversion, ConversionResult, JobOutcome, RunningJob

_INSTALL, _CONVERT = "environment-install", "convert"


def show_warnings(window: WindowParts, result: ConversionResult, variant: int) -> None:
    """Show the warnings of a conversion; one with the first difference leads to its node.

    Args:
        variant: The ONNX model that has the node.
    """
    for warning in result.warnings:
        nodes = [
            check.first.node
            for check in result.checks
            if check.first is not None and repr(check.first.value) in warning
        ]
        show = partial(_show_node, window, variant, nodes[0]) if nodes and nodes[0] else None
        action = MessageAction("Show in the graph", show) if show is not None else None
        window.notify(warning, "warning", action)


def _show_node(window: WindowParts, variant: int, node: str) -> None:
    from studio.workspace import NodeAsked

    window.select(variant)
    window.go("model")
    window.workspace.events.publish(NodeAsked(node))


class ModelConverter:
    """The converter of files that are no ONNX models yet.

    Args:
        converted: Called with the file and its variant when a conversion has succeeded.

    Attributes:
        dialog: The question while it is shown.
    """

    def __init__(self, window: WindowParts, converted: Callable[[Path, int], object]) -> None:
        self._window = window
        self._converted = converted
        self._installing: dict[str, tuple[Conversion, Mapping[str, object]]] = {}
        self._converting: dict[str, Path] = {}
        self.dialog: ConversionDialog | None = None

    @property
    def pending(self) -> bool:
        """Whether a model is on its way."""
        return bool(self._installing or self._converting)

    def offer(self, path: Path) -> bool:
        """Ask whether to convert a file; False for one that needs or knows no conversion."""
        # Not at the top: the window opens before the workspace is loaded.
        from studio.gui.window.dialogs.conversion import ConversionDialog
        from studio.workspace import conversion_of

        conversion = conversion_of(path, self._window.workspace.plugins)
        if conversion is None:
            return False
        form = self._window.workspace.steps[_CONVERT].form
        agreed = partial(self._begin, conversion)
        # A dialog of the top bar, so that it is dressed.
        parent = cast("QMainWindow", self._window.widget).menuWidget() or self._window.widget
        has_sandbox = self._window.workspace.sandbox.is_closed
        self.dialog = ConversionDialog(conversion, form, agreed, parent, has_sandbox=has_sandbox)
        self.dialog.finished.connect(self._closed)
        self.dialog.open()
        return True

    def _closed(self) -> None:
        self.dialog = None

    def _begin(self, conversion: Conversion, options: Mapping[str, object]) -> None:
        if conversion.is_ready:
            self._convert(conversion, options)
            return
        job = self._window.start(_INSTALL, name=conversion.plugin.id)
        if job is not None:
            self._installing[job.id] = (conversion, options)

    def _convert(self, conversion: Conversion, options: Mapping[str, object]) -> None:
        job = self._window.start(_CONVERT, source=str(conversion.path), **options)
        if job is not None:
            self._converting[job.id] = conversion.path

    def _report(self, path: Path, result: ConversionResult) -> None:
        """Say how close the model is to its original, or what is to be known of it."""
        for check in result.checks:
            if check.equal:
                text = f"{path.name} is converted. It gives the numbers of {check.against}"
                self._window.notify(f"{text}, up to {check.max_error:.0e}.", "good")
        show_warnings(self._window, result, result.variant)

    def on_finished(self, job: RunningJob, outcome: JobOutcome) -> None:
        """Continue when a job has ended: the conversion after its installation, then the model."""
        if (waiting := self._installing.pop(job.id, None)) is not None:
            if outcome.ok:
                self._convert(*waiting)
        elif (path := self._converting.pop(job.id, None)) is not None and outcome.ok:
            self._converted(path, outcome.result.variant)
            self._report(path, outcome.result)
