"""Models on their way into the window: a preview as soon as there is one, then the model."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from studio.gui.shell import MessageAction
from studio.gui.window.drop_overlay import outcome_of
from studio.gui.window.model_converter import ModelConverter
from studio.gui.window.model_exporter import ModelExporter

if TYPE_CHECKING:
    from studio.gui.graph.scene import Scene
    from studio.gui.pages.deploy.page import DeployPage
    from studio.gui.pages.model.page import ModelPage
    from studio.gui.shell import WindowParts
    from studio.samples.results import SampleResult
    from studio.workspace import Event, GraphView, RunningJob


class AppOpener(Protocol):
    """The page that opens apps, which a feature brings."""

    def open_app(self, path: Path) -> None:
        """Open an app, its folder or its description."""


class ModelOpener:
    """The opener of files and downloaded samples, which shows the result.

    Attributes:
        previewed: The job whose preview is shown; empty for none.
    """

    def __init__(self, window: WindowParts) -> None:
        self._window = window
        self._files: dict[str, Path] = {}
        self._samples: set[str] = set()
        self._apps: dict[str, Path] = {}
        self._starts: dict[str, str] = {}
        self.previewed = ""
        self.converter = ModelConverter(window, self._show_converted)
        self.exporter = ModelExporter(window)

    @property
    def pending(self) -> bool:
        """Whether a model is on its way."""
        return bool(self._files or self._samples) or self.converter.pending

    def open(self, path: Path, app: Path | None = None) -> None:
        """Open a model in a worker, or offer to convert it first; an app on its own page.

        Args:
            app: Folder of an app that is deployed with the model.
        """
        from studio.workspace import is_app, is_model_folder

        if app is not None:
            self._open(path, self._stage(), app)
        elif is_app(path):
            self._open_app(path)
        elif path.is_dir() and not is_model_folder(path):
            self.open_dropped([path])
        elif not self.converter.offer(path):
            self._open(path, self._stage())

    def _open_app(self, path: Path) -> None:
        """Open an app on the App page."""
        self._window.go("app")
        page = next(page for page in self._window.pages() if page.stage == "app")
        cast("AppOpener", page).open_app(path)

    def _open(self, path: Path, start: str, app: Path | None = None) -> None:
        """Open a model; a large one is drawn on the Model page at once."""
        job = self._window.start("open", model=str(path))
        if job is not None:
            if app is not None:
                self._apps[job.id] = app
            self._files[job.id] = path
            self._starts[job.id] = start

    def open_dropped(self, paths: Sequence[Path]) -> None:
        """Open the models among dropped files and folders; without any, show why."""
        outcome = outcome_of(paths, self._window.workspace.suffixes)
        for model in outcome.models:
            self.open(model)
        if len(outcome.models) > 1:
            names = ", ".join(model.name for model in outcome.models)
            text = f"Opening {names}. The last to open is shown; all are in the registry."
            self._window.notify(text, "good")
        if not outcome.models:
            self._window.notify(f"{outcome.title}. {outcome.text}", "warning")

    def get_sample(self, name: str) -> None:
        """Get a sample and open it."""
        job = self._window.start("samples-get", name=name)
        if job is not None:
            self._samples.add(job.id)
            self._starts[job.id] = self._stage()

    def on_event(self, event: Event) -> None:
        """Show a worker's previews of a model, and the model at the end."""
        from studio.workspace import DRAWN, PREVIEW, JobFinished, JobMessage

        if isinstance(event, JobMessage):
            if event.name == PREVIEW and event.job.id in self._files:
                self._read_preview(event.job, str(event.values["path"]))
            elif event.name == DRAWN and event.job.id in self._files:
                self._window.workspace.load_drawn_graph(
                    Path(str(event.values["path"])), partial(self._show_drawn, event.job)
                )
        elif isinstance(event, JobFinished):
            self._finished(event.job)

    def _read_preview(self, job: RunningJob, path: str) -> None:
        from studio.gui.graph.controls.choices import recall

        across = recall(self._window.workspace.settings).across
        read = partial(_preview, Path(path), across=across)
        self._window.workspace.in_background(read, partial(self._show_preview, job))

    def _show_preview(self, job: RunningJob, scene: Scene | Exception) -> None:
        """Show the preview, unless the job has ended or the preview cannot be read."""
        if isinstance(scene, Exception) or job.id not in self._files or not job.running:
            return
        self._page_for(job).show_preview(scene)

    def _show_drawn(self, job: RunningJob, view: GraphView | Exception) -> None:
        """Show the graph before its types are known."""
        if isinstance(view, Exception) or job.id not in self._files or not job.running:
            return
        if not self.previewed or self.previewed == job.id:
            self._page_for(job).show_drawn(view)

    def _page_for(self, job: RunningJob) -> ModelPage:
        """Return the Model page for a model that is on its way; it comes into sight once."""
        window = self._window
        if self.previewed != job.id:
            self.previewed = job.id
            window.go("model")
            window.topbar.show_model(self._files[job.id].stem, [], None)
        page = next(page for page in window.pages() if page.stage == "model")
        return cast("ModelPage", page)

    def _finished(self, job: RunningJob) -> None:
        assert job.outcome is not None
        self.converter.on_finished(job, job.outcome)
        self.exporter.on_finished(job, job.outcome)
        result = job.outcome.result
        if job.id in self._samples:
            self._samples.discard(job.id)
            start = self._starts.pop(job.id, "")
            if job.outcome.ok:
                self._open_sample(result, start)
        elif (file := self._files.pop(job.id, None)) is not None:
            shown, self.previewed = self.previewed == job.id, ""
            is_away = self._stage() != self._starts.pop(job.id, "") or shown
            app = self._apps.pop(job.id, None)
            if job.outcome.ok and app is not None:
                self._offer_deployment(app, result.variant, is_away)
            elif job.outcome.ok:
                self._show_opened(file, result.variant, is_away)
            elif shown:
                self._restore_previous()

    def _offer_deployment(self, app: Path, variant: int, is_away: bool) -> None:
        """Show the Deploy page with an app; a user who has moved elsewhere is offered it."""
        self._window.select(variant)
        show = partial(self._show_deployment, app, variant)
        if is_away:
            text = f"The model of {app.name} is open."
            self._window.notify(text, "good", MessageAction("Deploy…", show))
        else:
            show()

    def _show_deployment(self, app: Path, variant: int) -> None:
        self._window.go("deploy")
        page = next(page for page in self._window.pages() if page.stage == "deploy")
        cast("DeployPage", page).choose_app(app, variant)

    def _open_sample(self, sample: SampleResult, start: str) -> None:
        """Open the app of a sample, or its model where it has none.

        A user who has moved to another page stays there.
        """
        from studio.workspace import is_app

        folder = Path(sample.folder)
        if not is_app(folder):
            self._open(Path(sample.model), start)
        elif self._stage() == start:
            self._open_app(folder)
        else:
            self._window.notify(f"{sample.title} is in {folder}: open it on the App page.", "good")

    def _show_converted(self, file: Path, variant: int) -> None:
        self._show_opened(file, variant, is_away=False)

    def _show_opened(self, file: Path, variant: int, is_away: bool) -> None:
        """Show the project; a user who has moved to another page stays there, and is offered it."""
        if not is_away:
            self._window.go("project")
            self._window.select(variant)
            return
        self._window.select(variant)
        action = MessageAction("Show project", partial(self._window.go, "project"))
        self._window.notify(f"{file.name} is open.", "good", action)

    def _stage(self) -> str:
        """Return the stage whose page is shown."""
        page = self._window.page()
        return page.stage if page is not None else ""

    def _restore_previous(self) -> None:
        """Show what was shown before the preview of a model that could not be opened."""
        page = self._window.page()
        if page is not None and page.stage == "model":
            cast("ModelPage", page).end_preview()
        self._window.show_current()


def _preview(path: Path, *, across: bool) -> Scene:
    from studio.gui.graph.scene import Scene
    from studio.workspace import read_preview

    return Scene(*read_preview(path, across=across), across=across)
