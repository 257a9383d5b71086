"""The window: rail, top bar, page, inspector, jobs; and what it does for its pages."""

from __future__ import annotations

import gc
import logging
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QMainWindow,
    QStackedWidget,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from studio.api import StudioError
from studio.documents.defects import parts
from studio.gui import session_state as memory
from studio.gui.current_project import CurrentProject
from studio.gui.option_words import outcome_in_window
from studio.gui.pages.shared.base import Page
from studio.gui.pages.shared.plan_maker import PlanMaker
from studio.gui.shell import MessageAction
from studio.gui.theme import DARK, LIGHT, Theming
from studio.gui.widgets.drops import FileDrops
from studio.gui.window import keys
from studio.gui.window.close_guard import Closing
from studio.gui.window.commands import Commands
from studio.gui.window.docks import InspectorDock
from studio.gui.window.drop_overlay import DropOverlay
from studio.gui.window.idle_tasks import IdleTasks
from studio.gui.window.job_bar import JobBar
from studio.gui.window.layout_memory import restore_layout, store_layout
from studio.gui.window.opening import ModelOpener
from studio.gui.window.pages import Pages
from studio.gui.window.rail import Progress, Rail
from studio.gui.window.selection import Selection
from studio.gui.window.side.side_panels import SidePanels
from studio.gui.window.stages import AHEAD, BY_ID, STAGES, new_page
from studio.gui.window.toasts import Toasts
from studio.gui.window.topbar import ModelsMenu, TopBar

if TYPE_CHECKING:
    from studio.gui.window.command_palette import CommandPalette
    from studio.settings import Settings
    from studio.workspace import Containment, Event, RunningJob, Workspace

log = logging.getLogger(__name__)

START_SIZE = (1280, 800)
LEAST_SIZE = (960, 600)


class MainWindow(QMainWindow):
    """The only window. It draws and asks; whatever takes time is a job of the workspace.

    It is painted before the workspace is there, which takes as long as all the rest.

    Signals:
        painted: The window was painted for the first time.

    Attributes:
        workspace: There after ``attach``.
        current: The current variant.
        theming: The theme in force.
    """

    painted = Signal()
    jobbar: JobBar
    rail: Rail
    inspector: InspectorDock

    def __init__(self, theming: Theming, settings: Settings) -> None:
        super().__init__()
        self.theming = theming
        self._settings = settings
        self._pages = Pages(lambda stage: new_page(stage, self.workspace, self), self._adopt)
        self._stage = "model"
        self._shown: Page | None = None
        self._opening = ModelOpener(self)
        self.exporter = self._opening.exporter
        self._palette: CommandPalette | None = None
        self._is_painted = False
        self._closing = ExitStack()
        self.closing = Closing(self)
        self.setWindowTitle("Edgewright")
        self.setMinimumSize(*LEAST_SIZE)
        self.resize(*START_SIZE)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.project = CurrentProject()
        self.project.change_asked.connect(lambda: self.go("project"))
        self._build()
        restore_layout(self, self.inspector, self._settings)

    def attach(self, workspace: Workspace) -> None:
        """Attach the workspace, which opens after the first paint, and show the first page."""
        gc.freeze()  # all modules until here
        self.workspace, self._settings = workspace, workspace.settings
        self.current = Selection(workspace)
        self._progress = Progress(self.rail, workspace, self.current, self.project)
        self.project.follow(workspace, self.current)
        self.project.changed.connect(self._progress.show_soon)
        from studio.gui.panels.panels import Panels  # it knows the workspace
        from studio.gui.widgets.separator_style import SeparatorStyle  # the first paint has no line

        self._separators = SeparatorStyle()
        self.setStyle(self._separators)
        self._ahead = IdleTasks(self, self._pages.ahead(AHEAD))
        self.panels, self.commands = Panels(self), Commands(self)
        self.jobbar.follow(workspace.jobs)
        workspace.activity.open()
        self.closing.follow(workspace)
        self._connect()
        number = memory.recall(self._settings).get("variant")
        if not (isinstance(number, int) and number and self.current.select(number)):
            self.go(self._stage)
        # Trying the sandbox and keeping a worker ready may not hold up the first page.
        QTimer.singleShot(0, self, self._warm_up)

    @property
    def widget(self) -> QWidget:
        """The window itself, for those who know it by its parts (``shell.WindowParts``)."""
        return self

    # Services for pages (see shell.Shell)

    def start(self, step: str, **options: object) -> RunningJob | None:
        """Start a job, or make its plan; an error is shown. These two, or a closed window: None."""
        try:
            if self.isVisible():
                return PlanMaker(self.workspace, self).start(step, options)
        except StudioError as error:
            self.fail(error)
        return None

    def notify(self, text: str, tone: str = "", action: MessageAction | None = None) -> None:
        """Show one sentence, with a button where something can be done about it."""
        self.toasts.show_message(text, tone, action=action)

    def fail(self, error: BaseException) -> None:
        """Show an error."""
        log.error("shown to the user: %s", error, exc_info=error)
        text, hint, detail = parts(error)
        self.toasts.show_message(text, "bad", hint, detail)

    def select(self, variant: int) -> None:
        """Make a variant the current one."""
        if not self.current.select(variant):
            self.notify("This variant is no longer in the registry.", "warning")

    def go(self, stage: str) -> None:
        """Show a stage; its page is made on the first visit."""
        empty = self.current.variant is None and not self._opening.previewed
        shown = "welcome" if stage == "model" and empty else stage
        self._stage = stage
        self.rail.show_stage(BY_ID[stage].entry or stage)
        page = self._page(shown)
        if stage == "project":
            self.project.read()  # files may have come or gone
        if page is not None and self._shown is not page:
            self._shown = page
            page.dress()
            self.stack.setCurrentWidget(page)
            self.workspace.import_steps(BY_ID[stage].steps)
            QTimer.singleShot(0, page, page.take_focus)  # what was just made cannot take it yet
        self.inspector_changed()

    def choose_model(self) -> None:
        """Open the dialog for a model file, and open the file."""
        start = memory.recall(self._settings).get("folder", "")
        endings = (*self.workspace.suffixes, *self.workspace.converted_suffixes)
        pattern = " ".join(f"*{suffix}" for suffix in dict.fromkeys(endings))
        chosen, _filter = QFileDialog.getOpenFileName(  # of the top bar, so that it is dressed
            self.topbar, "Open a model", str(start), f"Models ({pattern});;All files (*)"
        )
        if chosen:
            memory.store(self._settings, folder=str(Path(chosen).parent))
            self.open_model(Path(chosen))

    def open_model(self, path: Path, app: Path | None = None) -> None:
        """Open a model in a worker, and show its project, or offer to deploy it with an app."""
        self._opening.open(path, app)

    def open_sample(self, name: str) -> None:
        """Get a sample and open its model."""
        self._opening.get_sample(name)

    def inspector_changed(self) -> None:
        """Show the inspector of the current page, or none."""
        page = self.page()
        self.inspector.show_content(page.inspector() if page is not None else None)

    def page(self) -> Page | None:
        """Return the page that is shown."""
        shown = self.stack.currentWidget()
        return shown if isinstance(shown, Page) else None

    def pages(self) -> list[Page]:
        """Return the pages that were visited."""
        return list(self._pages)

    # Building

    def _build(self) -> None:
        models = ModelsMenu(self)
        self.topbar = TopBar(self.theming, models)
        self.rail = Rail(STAGES, self.theming)
        self.stack = QStackedWidget()
        self.inspector = InspectorDock()
        self.jobbar = JobBar()
        centre = QWidget()
        centre.setObjectName("centre")
        layout = QVBoxLayout(centre)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.stack, 1)
        self.setCentralWidget(centre)
        self.toasts = Toasts(self.theming, centre)
        self.overlay = DropOverlay(self.theming, self, lambda: self.workspace.suffixes)
        FileDrops(self, self._opening.open_dropped).dragged.connect(self.overlay.show_drag)
        self.setMenuWidget(self.topbar)
        self.side = SidePanels(self, self.topbar, self.jobbar)
        self.side.changed.connect(self.toasts.place)
        rail = self._add_bar(self.rail, Qt.ToolBarArea.LeftToolBarArea, "rail")
        jobbar = self._add_bar(self.jobbar, Qt.ToolBarArea.BottomToolBarArea, "jobbar")
        self.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self.inspector)
        self.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
        for part in (self.topbar, models, rail, jobbar, self.inspector):
            self.theming.dress(part)

    def _add_bar(self, content: QFrame, area: Qt.ToolBarArea, name: str) -> QToolBar:
        bar = QToolBar(name.capitalize())
        bar.setObjectName(name)
        bar.setMovable(False)
        bar.addWidget(content)
        self.addToolBar(area, bar)
        return bar

    def _connect(self) -> None:
        self.rail.chosen.connect(self.go)
        self.topbar.variant_chosen.connect(self.select)
        self.topbar.new_variant.connect(lambda: self.go("quantize"))
        self.topbar.search.connect(self.open_palette)
        self.topbar.help.connect(self.toggle_help)
        self.topbar.theme.connect(self.toggle_theme)
        self.topbar.inspector.connect(self.inspector.toggle)
        self.jobbar.list_asked.connect(self.toggle_jobs)
        self.current.changed.connect(self.show_current)
        self._closing.callback(self.workspace.events.subscribe(self._on_event))
        for end in (self.panels.close, self.project.end, self._progress.end, self._ahead.stop):
            self._closing.callback(end)

    def _warm_up(self) -> None:
        self.workspace.in_background(lambda: self.workspace.sandbox, self._show_sandbox)
        self.workspace.warm_up()
        self.panels.find()
        self._ahead.start()

    def _show_sandbox(self, level: Containment | Exception) -> None:
        if not isinstance(level, Exception):
            self.jobbar.show_sandbox(level.value, level.explanation)

    def _page(self, name: str) -> Page | None:
        try:
            return self._pages.get(name)
        except (ImportError, AttributeError) as error:
            self.fail(StudioError(f"The {name} page cannot be shown.", detail=repr(error)))
            return None

    def _adopt(self, page: Page) -> None:
        page.show_variant(self.current.variant)
        self.panels.add_to(page)
        self.stack.addWidget(page)
        for part in page.parts():
            self.theming.dress_soon(part)

    # What happens

    def _on_event(self, event: Event) -> None:
        from studio.workspace import JobFinished, JobProgressed, JobStarted, RegistryChanged

        if isinstance(event, JobStarted | JobProgressed | JobFinished):
            self.jobbar.refresh()
            self.side.refresh(event.job)
        if isinstance(event, RegistryChanged):
            self.current.refresh()
        if isinstance(event, JobFinished):
            self._finished(event.job)
        self._opening.on_event(event)
        if self._progress.concerns(event):
            self._progress.show_soon()
        self._pages.on_event(event)

    def _finished(self, job: RunningJob) -> None:
        if job.outcome is not None:
            self._progress.note_end(job)
            step = self.workspace.steps.get(job.spec.step)
            outcome = outcome_in_window(job.outcome, step.form if step is not None else ())
            if outcome.ok or job.spec.step not in getattr(self.page(), "explains", ()):
                self.toasts.show_end(outcome, job.spec.step or job.spec.entry)

    def show_current(self) -> None:
        """Show which variant is the current one, on every page."""
        variant = self.current.variant
        name, number = (variant.model_name, variant.id) if variant else ("", None)
        self.topbar.show_model(name, self.current.variants, number)
        self.setWindowTitle(f"{name} – Edgewright" if name else "Edgewright")
        memory.store(self._settings, variant=number or 0)
        self._pages.show_variant(variant)
        self._progress.show_soon()
        self.go(self._stage or "model")

    def open_known(self, model: int) -> None:
        """Show a model of the registry."""
        self.current.select_model(model)
        self.go("model")

    # Theme, docks, state

    def toggle_theme(self) -> None:
        """Switch between light and dark, and remember it."""
        self.choose_theme(LIGHT if self.theming.current.dark else DARK)

    def choose_theme(self, choice: str) -> None:
        """Set ``system``, ``dark`` or ``light``, and store the choice."""
        self.theming.choose(choice)
        if problem := memory.keep(self._settings, "theme", choice):
            self.notify(problem, "warning")

    def open_palette(self) -> None:
        """Show the command palette."""
        if self._palette is None:
            from studio.gui.window.command_palette import CommandPalette

            self._palette = CommandPalette(self, self.theming, self.commands.sources())
            self.theming.dress(self._palette)
        self._palette.open()

    def toggle_jobs(self) -> None:
        """Show or hide the Activity panel."""
        self.side.toggle("activity")

    def toggle_help(self) -> None:
        """Show or hide the help of the page."""
        self.side.toggle("help")

    def show_action(self, number: int) -> None:
        """Show something that was done, with the pipeline that does it again."""
        from studio.gui.pages.runs.page import RunsPage

        self.go("runs")
        page = self.page()
        if isinstance(page, RunsPage):
            page.show_action(number)

    def toggle_full_screen(self) -> None:
        """Fill the screen, or give it back."""
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def save(self) -> None:
        """Store the window layout for the next session."""
        store_layout(self, self.inspector, self._settings)

    # Events

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.closing.allows():
            event.ignore()
            return
        self.save()
        self._closing.close()
        super().closeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._palette is not None and self._palette.isVisible():
            self._palette.place()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._is_painted:
            self._is_painted = True
            self.painted.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # No shortcuts: these keys belong first to whatever has the focus.
        if event.key() == Qt.Key.Key_Escape:
            done = self.side.close_panel() or self.toasts.close_message()
        else:
            done = event.key() in keys.ENTER and keys.press(self.focusWidget())
        if not done:
            super().keyPressEvent(event)
