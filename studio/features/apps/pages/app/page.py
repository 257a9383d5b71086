"""The App page: open an app, run it on this computer, draw its lines and areas, test it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFileDialog, QMenu, QVBoxLayout, QWidget

from studio.documents.dataclass_json import JsonValue, from_json
from studio.features.apps.edit import save_settings
from studio.features.apps.pages.app.code_consent import code_permissions
from studio.features.apps.pages.app.recent_apps import recent_apps, remember_app
from studio.features.apps.pages.app.result_view import ResultView
from studio.features.apps.pages.app.run_view import RunView
from studio.features.apps.pages.app.start_view import StartView
from studio.features.apps.results import AppCheck, AppCreated, AppProgress, AppRun
from studio.gui import figures
from studio.gui.pages.shared.question import Question
from studio.gui.pages.shared.stage_page import JobStrip, StagePage
from studio.gui.shell import Shell
from studio.gui.widgets.actions import explain
from studio.gui.widgets.basics import button, set_enabled
from studio.gui.widgets.style_parts import PartStack

if TYPE_CHECKING:
    from studio.workspace import JobOutcome, Workspace

NEW = "app-new"
CHECK = "app-check"
RUN = "app-run"
TEST = "app-test"
APP_VIEW, TEST_VIEW = range(2)
START, CONTENT = range(2)

_WIDE = 1000
_NO_MODEL = "The app has no model of its own: deploy it from the command line with a model."
_SIGNALS = "Videos and signals (*.avi *.mp4 *.mkv *.mov *.webm *.mjpeg *.mjpg *.csv)"
_RECORDINGS = f"{_SIGNALS};;All files (*)"


class AppPage(StagePage):
    """The page of one app in a folder.

    Attributes:
        folder: Of the open app; None while none is open.
        checking: The job that checks the app.
    """

    stage = "app"
    title = "App"
    icon = "app"
    repeats = (TEST,)
    explains = (CHECK, RUN, TEST)

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__(workspace, shell)
        self.folder: Path | None = None
        self.checking, self._creating = JobStrip(), JobStrip()
        self._doing = ""
        self._stopped, self._is_broken = False, False
        self._agreed: str | None = None
        self._again: Callable[[], object] = self.run

    def build(self) -> Iterator[None]:
        """Make the views one after the other."""
        self.start_view = StartView(self._choose, self._choose_new, self.open_app)
        yield
        self.view = RunView(self.shell.theming)
        yield
        self.results = ResultView(self.test)
        self._pane = PartStack(self.start_view, self.view)
        self.add_view("App", self._with_strips(self._pane))
        self.add_view("Test", self.results)
        yield
        self._make_tools()
        self.view.recheck.connect(self.check)
        self.view.preview.saved.connect(self._save)
        self.strip.message.connect(self._message)
        self.strip.finished.connect(self._finished)
        self.checking.finished.connect(self._checked)
        self._creating.finished.connect(self._created)
        self._views.hide()
        self._explain()

    def _with_strips(self, pane: QWidget) -> QWidget:
        """Return a pane that holds the strips of the jobs, which stay hidden: boxes show them."""
        holder = _Holder(pane)
        for strip in (self.strip, self.checking, self._creating):
            strip.setParent(holder)
            strip.hide()
        return holder

    def _make_tools(self) -> None:
        self.open_button = button("Open app…", self._choose)
        self.replay_button = button("Replay")
        menu = QMenu(self.replay_button)
        menu.addAction("Video or CSV file…", self._choose_recordings)
        menu.addAction("Folder of pictures…", self._choose_pictures)
        self.replay_button.setMenu(menu)
        self.test_button = button("Test", self.test)
        self.deploy_button = button("Deploy…", self._deploy)
        for tool in (self.open_button, self.replay_button, self.test_button, self.deploy_button):
            self.add_tool(tool)
        self.set_primary("Run", self._press)
        self._open_command = self.add_command("Open an app…", self._choose)
        self._new_command = self.add_command("New app…", self._choose_new)
        self._run_command = self.add_command("Run or stop the app", self._press)
        self._test_command = self.add_command("Test the app", self.test)
        self._check_command = self.add_command("Check the app", self.check)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the pipeline to the command palette where the header has no room for it."""
        super().resizeEvent(event)
        self.hide_pipeline_button(event.size().width() < _WIDE or self.folder is None)

    # Opening

    def open_app(self, path: Path) -> None:
        """Open an app: its folder, or its app.toml."""
        folder = path if path.is_dir() else path.parent
        if self.strip.running:
            self.shell.notify("Stop the running app before you open another one.", "warning")
        elif self.view.preview.drawing.is_changed and self.folder is not None:
            self._ask_to_discard(folder)
        else:
            self._open(folder)

    def _ask_to_discard(self, folder: Path) -> None:
        step = self.view.preview.drawing.step
        text = f"Discard the points of {step}?"
        detail = "They are not saved to app.toml."
        Question(self.header, text, detail, "Discard", partial(self._open, folder)).open()

    def _open(self, folder: Path) -> None:
        self.folder, self._is_broken = folder, False
        self._agreed = None
        self.view.forget()
        self.view.show_name(folder.name, str(folder))
        self.results.clear()
        self._pane.setCurrentIndex(CONTENT)
        self.show_view(APP_VIEW)
        self._views.show()
        self.hide_pipeline_button(self.width() < _WIDE)
        self.check()

    def check(self) -> None:
        """Check the graph, models and files of the app."""
        if self.folder is None or self.checking.running:
            return
        if self.checking.follow(self.shell.start(CHECK, app=str(self.folder))):
            self.checking.hide()
        self._explain()

    def _checked(self, outcome: JobOutcome) -> None:
        if outcome.ok and isinstance(outcome.result, AppCheck):
            remember_app(self.workspace.settings, Path(outcome.result.folder))
            self.view.show_check(outcome.result)
            self._is_broken = False
        else:
            self._is_broken = True
            self.view.warnings.hide()
            self.view.problem.show_problem(outcome.sentence, outcome.hint, self.check)
        self._explain()

    def _choose(self) -> None:
        start = str(self.folder.parent) if self.folder is not None else ""
        chosen = QFileDialog.getExistingDirectory(self.header, "Folder of the app", start)
        if chosen:
            self.open_app(Path(chosen))

    def _choose_new(self) -> None:
        chosen, _filter = QFileDialog.getSaveFileName(self.header, "Folder of the new app")
        if not chosen or self._creating.running:
            return
        title = "Detector of the app (Cancel: add it later)"
        pattern = "Models (*.onnx);;All files (*)"
        model, _filter = QFileDialog.getOpenFileName(self.header, title, "", pattern)
        self.create_app(Path(chosen), Path(model) if model else None)

    def create_app(self, folder: Path, model: Path | None = None) -> None:
        """Create an app in a new folder, and open it."""
        options = {"model": str(model)} if model is not None else {}
        if self._creating.follow(self.shell.start(NEW, out=str(folder), **options)):
            self._creating.hide()

    def _created(self, outcome: JobOutcome) -> None:
        if outcome.ok and isinstance(outcome.result, AppCreated):
            self.open_app(Path(outcome.result.folder))

    def refresh(self) -> None:
        """Offer the recent apps."""
        if self.folder is None:
            self.start_view.show_recent(recent_apps(self.workspace.settings))

    # Running

    def _press(self) -> None:
        if self.folder is None:
            self._choose()
        elif self.strip.running:
            self.stop()
        else:
            self.run()

    def run(self, replay: Sequence[Path] = ()) -> None:
        """Run the app, with recordings in place of its first sources."""
        given = {"replay": [str(path) for path in replay]} if replay else {}
        self._with_consent(partial(self._start, RUN, **given))

    def test(self) -> None:
        """Replay the recordings of the app, and compare its events with the known ones."""
        if not self._why_not_run():
            self._with_consent(partial(self._start, TEST))

    def stop(self) -> None:
        """Stop the run or test."""
        if self.strip.job is not None:
            self._stopped = True
            self.strip.job.cancel()
            self._explain()

    def _with_consent(self, start: Callable[[], object]) -> None:
        """Start at once, or when the user agrees to run the Python code of the app."""
        check = self.view.check
        if check is None or self._why_not_run() or self.strip.running:
            return
        if not check.own_steps or self._agreed == check.code_digest:
            start()
            return
        text = f"Run the Python code of {check.title}?"
        detail = code_permissions(check)
        Question(self.header, text, detail, "Run the code", partial(self._agree, start)).open()

    def _agree(self, start: Callable[[], object]) -> None:
        self._agreed = self.view.check.code_digest if self.view.check else None
        start()

    def _start(self, step: str, **options: object) -> None:
        if self.strip.running or self.view.check is None:
            return
        if self.view.check.own_steps:
            options |= {"allow_code": True, "code": self._agreed}
            if step == RUN and self.view.check.networked:
                options["allow_network"] = True
        self._again = partial(self._start, step, **options)
        self._doing, self._stopped = step, False
        if self.strip.follow(self.shell.start(step, app=str(self.folder), **options)):
            self.strip.hide()  # the boxes of the graph are the progress
            self.view.begin()
            if step == TEST:
                self.results.clear("Test is running", "Its result appears here.")
                self.show_view(TEST_VIEW)
            else:
                self.show_view(APP_VIEW)
        self._explain()

    def _message(self, name: str, values: dict[str, JsonValue]) -> None:
        if name == "app":
            progress = from_json(AppProgress, values)
            self.view.show_progress(progress)
            if self._doing == TEST:
                done = f"{figures.count(progress.frames, 'frame')} replayed, "
                done += figures.count(sum(progress.counts.values()), "event")
                self.results.clear("Test is running", f"{done}. The result appears here.")

    def _finished(self, outcome: JobOutcome) -> None:
        result, doing = outcome.result, self._doing
        self._doing = ""
        if outcome.ok and isinstance(result, AppRun):
            self.view.show_run(result)
            if doing == TEST:
                self.results.show_result(result)
        elif self._stopped:
            self.results.clear("Test stopped", "A test that was stopped has no result.")
            self.view.end()
        else:
            self._show_failure(outcome, doing)
        self._explain()

    def _show_failure(self, outcome: JobOutcome, doing: str) -> None:
        self.view.end()
        if doing == TEST:
            self.results.clear(outcome.sentence, outcome.hint)
        else:
            self.view.problem.show_problem(outcome.sentence, outcome.hint, self._again)

    def _choose_recordings(self) -> None:
        title = "Recordings in place of the sources"
        chosen, _filter = QFileDialog.getOpenFileNames(self.header, title, "", _RECORDINGS)
        if chosen:
            self.run([Path(path) for path in chosen])

    def _choose_pictures(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self.header, "Pictures in place of the source")
        if chosen:
            self.run([Path(chosen)])

    def _deploy(self) -> None:
        """Open the first model of the app, and offer both on the Deploy page."""
        check = self.view.check
        if check is not None and check.models:
            folder = Path(check.folder)
            self.shell.open_model(folder / check.models[0].file, folder)

    # ShapeEditor

    def _save(self) -> None:
        """Write the drawn points into app.toml, in the background."""
        check = self.view.check
        step, settings = self.view.preview.settings()
        if check is None or not settings:
            return
        file = Path(check.folder) / "app.toml"
        write = partial(save_settings, file, check.digest, step, settings)
        self.view.preview.save.setEnabled(False)
        self.workspace.in_background(write, partial(self._saved, step))

    def _saved(self, step: str, result: str | Exception) -> None:
        if isinstance(result, Exception):
            hint = str(getattr(result, "hint", ""))
            self.view.problem.show_problem(str(result), hint, self.check)
            self.view.preview.save.setEnabled(True)
            return
        self.view.preview.note_saved()
        text = f"The points of {step} are saved to app.toml."
        if self.strip.running:
            text += " Run the app again to use them."
        self.shell.notify(text, "good")
        self.check()

    # What can be done now

    def _why_not_run(self) -> str:
        if self.folder is None:
            return "Open an app first."
        if self._is_broken:
            return "The app has a problem. Fix it, then check the app again."
        if self.view.check is None:
            return "The app is being checked."
        return ""

    def _why_not_deploy(self) -> str:
        check = self.view.check
        return _NO_MODEL if check is not None and not check.models else ""

    def _explain(self) -> None:
        """Name the primary button after what it does next, with the reason where it cannot."""
        running, reason = self.strip.running, self._why_not_run()
        has_app = self.folder is not None
        text = ("Stop" if running else "Run") if has_app else "Open app…"
        busy = "Stop the running app first." if running else ""
        assert self.primary is not None
        self.primary.setText(text)
        self.primary.setAccessibleName(f"{text} the app" if has_app else text)
        stopping = "Stopping…" if running and self._stopped else ""
        set_enabled(self.primary, stopping or (reason if has_app and not running else ""))
        for tool in (self.open_button, self.replay_button, self.test_button, self.deploy_button):
            tool.setVisible(has_app)
        set_enabled(self.deploy_button, reason or self._why_not_deploy())
        set_enabled(self.open_button, busy)
        for tool in (self.replay_button, self.test_button, self.results.hint.button):
            set_enabled(tool, busy or reason)
        self.results.hint.button.setHidden(running)
        set_enabled(self.view.again, "The app is being checked." if self.checking.running else "")
        explain(self._open_command, busy)
        explain(self._new_command, busy)
        explain(self._run_command, reason if not running else "")
        explain(self._test_command, busy or reason)
        explain(self._check_command, "" if has_app else reason)

    def on_event(self, event: object) -> None:
        """Follow the jobs of the page."""
        super().on_event(event)
        self.checking.on_event(event)
        self._creating.on_event(event)


class _Holder(QWidget):
    """A widget that is filled by a pane."""

    def __init__(self, pane: QWidget) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(pane)
        self._pane = pane

    def style_parts(self) -> list[QWidget]:
        """Return what wears a style sheet of its own."""
        return [self._pane]
