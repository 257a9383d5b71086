"""A page with a real workspace behind it and a shell that only notes what it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QTableWidget, QWidget

from studio.gui.current_project import CurrentProject
from studio.gui.pages.shared.base import Page
from studio.gui.shell import MessageAction
from studio.gui.theme import Theming
from studio.gui.widgets.basics import Pill
from studio.jobs import JobProgress
from studio.workspace import (
    JobFinished,
    JobMessage,
    JobOutcome,
    JobProgressed,
    RegistryChanged,
    VariantRecord,
    Workspace,
)

P = TypeVar("P", bound=Page)

METRIC = {
    "name": "top1",
    "title": "Top-1 accuracy",
    "before": 0.981,
    "after": 0.976,
    "drop": 0.005,
    "samples": 450,
}


@dataclass(eq=False)
class Job:
    """A job that the test moves on by hand."""

    step: str
    options: dict[str, Any]
    state: JobProgress = field(default_factory=JobProgress)
    outcome: JobOutcome | None = None
    cancelled: bool = False

    @property
    def id(self) -> str:
        return f"job-{id(self)}"

    @property
    def title(self) -> str:
        return self.step.capitalize()

    def cancel(self) -> None:
        self.cancelled = True


class Shell:
    """Notes every call."""

    def __init__(self, theming: Theming) -> None:
        self.theming = theming
        self.project = CurrentProject()
        self.jobs: list[Job] = []
        self.said: list[str] = []
        self.actions: list[MessageAction | None] = []
        self.failed: list[BaseException] = []
        self.selected: list[int] = []
        self.went: list[str] = []
        self.shown: list[int] = []
        self.refuses = False

    def start(self, step: str, **options: Any) -> Job | None:
        if self.refuses:
            return None
        self.jobs.append(Job(step, options))
        return self.jobs[-1]

    def notify(self, text: str, tone: str = "", action: MessageAction | None = None) -> None:
        self.said.append(text)
        self.actions.append(action)

    def fail(self, error: BaseException) -> None:
        self.failed.append(error)

    def select(self, variant: int) -> None:
        self.selected.append(variant)

    def go(self, stage: str) -> None:
        self.went.append(stage)

    def show_action(self, number: int) -> None:
        self.shown.append(number)

    def inspector_changed(self) -> None:
        pass


class Rig:
    """One workspace, one shell, and pages on them."""

    def __init__(self, workspace: Workspace, folder: Path) -> None:
        self.workspace = workspace
        self.registry = workspace.registry
        self.shell = Shell(Theming("dark"))
        self._pages: list[Page] = []
        self._folder = folder

    def page(self, kind: type[P], variant: VariantRecord | None = None) -> P:
        """A page as the window shows it at 1280 x 800."""
        page = kind(self.workspace, self.shell)  # type: ignore[arg-type]
        page.complete()
        page.resize(1196, 676)
        self._pages.append(page)
        page.show_variant(variant)
        for part in page.parts():
            self.shell.theming.dress(part)
        page.show()
        return page

    def close(self) -> None:
        """Delete the pages now, so that none of them hears of the next test."""
        for page in self._pages:
            page.close()
            page.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    def variant(
        self, name: str = "fp32", parent: VariantRecord | None = None, **made: Any
    ) -> VariantRecord:
        """A variant of the model "digits"; ``made`` are figures of its quantization."""
        path = self._folder / f"{name}.onnx"
        path.write_bytes(name.encode() * (100 if parent is None else 30))
        summary: dict[str, Any] = {
            "inputs": made.pop(
                "inputs", [{"name": "image", "dtype": "float32", "shape": ["batch", 1, 8, 8]}]
            )
        }
        if parent is not None:
            summary["quantize"] = made
        return self.registry.add_variant(
            self.registry.add_model("digits"),
            name,
            self.registry.adopt(path),
            format="onnx",
            precision=name,
            parent=parent.id if parent else None,
            step="quantize" if parent else "open",
            options={"method": "static-int8", "calibration": "minmax"} if parent else {},
            summary=summary,
            graph=None,
        )

    def progress(self, page: Page, done: float, total: float, text: str) -> None:
        """Let the newest job tell how far it is."""
        job = self.shell.jobs[-1]
        job.state = JobProgress(done, total, text)
        page.on_event(JobProgressed(job))  # type: ignore[arg-type]

    def message(self, page: Page, name: str, /, **values: Any) -> None:
        """Let the newest job send a message."""
        page.on_event(JobMessage(self.shell.jobs[-1], name, values))  # type: ignore[arg-type]

    def finish(self, page: Page, outcome: JobOutcome) -> None:
        """End the newest job, as the workspace does it: first the records, then the end."""
        job = self.shell.jobs[-1]
        job.outcome = outcome
        page.on_event(RegistryChanged("records"))
        page.on_event(JobFinished(job))  # type: ignore[arg-type]


@contextmanager
def opened(home: Path, folder: Path) -> Iterator[Rig]:
    """A rig on a workspace of its own."""
    with Workspace.open(home) as workspace:
        workspace.in_background = _at_once  # type: ignore[method-assign]
        rig = Rig(workspace, folder)
        yield rig
        rig.close()


def _at_once(call: Callable[[], Any], done: Callable[[Any], None]) -> None:
    """What the background thread does, within the test."""
    try:
        result = call()
    except Exception as error:
        result = error
    done(result)


def texts(table: QTableWidget) -> list[list[str]]:
    """All cells as a reader sees them, pills included."""
    return [
        [_cell(table, y, x) for x in range(table.columnCount())] for y in range(table.rowCount())
    ]


def _cell(table: QTableWidget, y: int, x: int) -> str:
    holder = table.cellWidget(y, x)
    if holder is not None:
        return holder.findChild(Pill).text()
    return table.item(y, x).text()


def visible_texts(widget: QWidget) -> str:
    """Everything that labels and buttons say at the moment."""
    QApplication.processEvents()  # what was put into a layout is shown with the next turn
    parts: list[Mapping[str, str] | str] = [
        item.text()
        for kind in (QLabel, QPushButton)
        for item in widget.findChildren(kind)
        if item.isVisibleTo(widget)
    ]
    return "\n".join(str(part) for part in parts)
