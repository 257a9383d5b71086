"""The Try it page: send pictures or messages to what is served, and see the answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QWidget

from studio.documents.dataclass_json import JsonValue, from_json, to_json
from studio.gui import figures
from studio.gui.pages.shared import target_rows
from studio.gui.pages.shared.answer_view import PictureView, ScoreBars, percent
from studio.gui.pages.shared.raw_tensors import RawTensors, meaning_of
from studio.gui.pages.shared.serving_choice import ServingChoice
from studio.gui.pages.shared.stage_page import Needs, StagePage
from studio.gui.pages.try_it.override_sheet import OverrideSheet
from studio.gui.shell import Shell
from studio.gui.widgets.actions import explain
from studio.gui.widgets.basics import (
    GRID,
    Card,
    FieldList,
    Hint,
    Scroll,
    button,
    label,
    row,
    set_enabled,
)
from studio.gui.widgets.drops import FileDrops
from studio.monitoring.stream.results import FrameAnswer, FrameReport, StreamResult

if TYPE_CHECKING:
    from studio.workspace import JobOutcome, Workspace

STEP = "stream"
_EMPTY = "Drop or choose a picture. The result appears here."
_SENDING = "Sending to the endpoint. The first result appears here."

HELD_OUT = ("heldout", "heldout.npz")
"""What a sample keeps beside its model to be tried."""

WATCHED_FPS = 4
"""A pace at which somebody can look at each of a sample's pictures."""


class TryItPage(StagePage):
    """The page that sends frames to one target and draws the answers."""

    stage = "try"
    title = "Try it"
    icon = "try"
    repeats = ("call", "stream")

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__(workspace, shell)
        self.choice = ServingChoice(workspace.endpoints)
        self.source = QLineEdit()
        self.source.setAccessibleName("Input")
        self.source.setPlaceholderText("Picture, folder, video, rtsp://… or camera number")
        self.source.setAcceptDrops(False)  # the whole page takes the drop
        self.source.textChanged.connect(self._explain)
        self.source.returnPressed.connect(self.toggle)
        self.picture_button = button("Picture…", self._choose_picture)
        self.folder_button = button("Folder…", self._choose_folder)
        self.sample_button = button("Try a sample", self.try_sample)
        self.picture = PictureView(shell.theming)
        self.bars = ScoreBars(shell.theming)
        self.answer = label("", "title", wrap=True)
        self.meaning = label("", "dim", wrap=True)
        self.raw = RawTensors()
        self.override_button = button("Override…", self._override)
        self.override_button.setAccessibleName("Override the answer")
        self._shown: FrameReport | None = None
        self._current: int | None = None
        self.waiting = label(_EMPTY, "dim")
        self.waiting.setWordWrap(True)
        self.measured = FieldList(name_width=11 * GRID)
        hint = Hint(
            "No deployments yet",
            "Deploy a model to test it with pictures here.",
            "Go to Deploy",
            lambda: shell.go("deploy"),
        )
        self._pane = Needs(self._content(), hint)
        self.add_view("Pictures", self._pane)
        self.add_views_of_features()
        for view in self.added:
            view.changed.connect(self._explain)
        self.add_tool(self.choice, left=True)
        self.set_primary("Start", self.toggle)
        self._command = self.add_command("Start or stop sending", self.toggle)
        self.strip.message.connect(self._frame)
        self.strip.finished.connect(self._finished)
        self.choice.currentIndexChanged.connect(self._chosen)
        FileDrops(self, self._send_dropped)
        self.override = OverrideSheet(self, shell)
        self.stack.currentChanged.connect(lambda _: self._show_tools())

    def _content(self) -> QWidget:
        content = Scroll()
        sent = Card()
        line = row(self.source, self.picture_button, self.folder_button, self.sample_button)
        line.setStretch(0, 1)
        sent.body.addLayout(line)
        content.body.addWidget(sent)
        shown = Card()
        shown.body.addWidget(self.picture, 1)
        said = Card("Result")
        for widget in (self.waiting, self.answer, self.meaning, self.bars, self.override_button):
            said.body.addWidget(widget)
        said.body.addWidget(self.measured)
        said.body.addWidget(self.raw)
        said.body.addStretch(1)
        said.setFixedWidth(40 * GRID)
        halves = QHBoxLayout()
        halves.setSpacing(2 * GRID)
        halves.addWidget(shown, 1)
        halves.addWidget(said)
        content.body.addLayout(halves, 1)
        self._show(None)
        return content

    # What happens

    def send(self, path: Path) -> None:
        """Send a file or folder that was dropped or chosen."""
        self.source.setText(str(path))
        if not self.strip.running:
            self.toggle()

    def _send_dropped(self, paths: Sequence[Path]) -> None:
        """Send the first of the dropped files."""
        self.send(paths[0])
        if len(paths) > 1:
            text = f"Only {paths[0].name} was sent. Drop a folder to send several files."
            self.shell.notify(text, "warning")

    def try_sample(self) -> None:
        """Send what the sample keeps for this."""
        found = self._held_out()
        if found is not None and not self.strip.running:
            self.source.setText(str(found))
            self._start(fps=WATCHED_FPS)

    def toggle(self) -> None:
        """Start, or stop what runs."""
        if view := self.shown_added:
            view.run()
            return
        if self.strip.running and self.strip.job is not None:
            self.strip.job.cancel()
            if self.primary is not None:
                set_enabled(self.primary, "Stopping…")
            return
        self._start()

    def _start(self, **pace: float) -> None:
        target, source = self.choice.target, self.source.text().strip()
        if target is None or not source:
            return
        self._show(None)
        if self.strip.follow(self.shell.start(STEP, source=source, target=target.name, **pace)):
            self.strip.hide()  # the page itself is the progress
        self._explain()

    def refresh(self) -> None:
        """Offer the targets that something was deployed to."""
        self.choice.offer(self.workspace, self.variant)
        self._pane.show_content(bool(self.choice.targets))
        for view in self.added:
            view.refresh(self.variant)
        current = self.variant.id if self.variant else None
        if current != self._current:  # another model is tried in its own way
            self._current = current
            self.show_view(next((n for n, view in enumerate(self.added, 1) if view.is_usual), 0))
        self._show_tools()

    def on_event(self, event: object) -> None:
        """Follow the jobs of the page."""
        super().on_event(event)
        self.override.strip.on_event(event)
        for view in self.added:
            view.on_event(event)

    def _override(self) -> None:
        """Open the sheet for the answer that is shown."""
        target, frame = self.choice.target, self._shown
        if target is not None and frame is not None:
            self.override.open_for(target.name, frame.request, _text_of(frame.answer))

    def _choose_picture(self) -> None:
        pattern = "Pictures and arrays (*.png *.jpg *.jpeg *.npy *.npz);;All files (*)"
        chosen, _filter = QFileDialog.getOpenFileName(self.header, "Input", "", pattern)
        if chosen:
            self.send(Path(chosen))

    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self.header, "Pictures to send")
        if chosen:
            self.send(Path(chosen))

    def _chosen(self) -> None:
        if self.strip.job is not None:
            self.strip.job.cancel()
        self._show(None)
        self._show_served()

    def _held_out(self) -> Path | None:
        """Return the held-out data next to the file from which the served model was derived."""
        target, registry = self.choice.target, self.workspace.registry
        if target is None:
            return None
        release = target_rows.running(registry.releases(target.name)).release
        version = next(
            (v for v in registry.versions() if release and v.id == release.version), None
        )
        if version is None:
            return None
        heldout = self.workspace.projects.of(registry.variant(version.variant)).heldout
        return Path(heldout) if heldout else None

    # Showing

    def _frame(self, name: str, values: dict[str, JsonValue]) -> None:
        if name == "frame":
            self._show(from_json(FrameReport, values))

    def _finished(self, outcome: JobOutcome) -> None:
        if outcome.ok and isinstance(outcome.result, StreamResult):
            self._show_figures(outcome.result, outcome.result.latency_ms.p50)
        self._explain()

    def _show(self, frame: FrameReport | None) -> None:
        self._shown = frame
        self.override_button.setVisible(frame is not None and bool(frame.request))
        answer = frame.answer if frame else FrameAnswer("")
        boxes, classes = to_json(answer.boxes or ()), to_json(answer.classes or ())
        cells = to_json(answer.map) if answer.map is not None else None
        self.picture.show_frame(frame.picture if frame else "", boxes, cells)
        self.bars.show_classes(classes)
        self.bars.setVisible(bool(classes))
        text = _text_of(answer)
        self.answer.setText(text)
        self.answer.setVisible(bool(text))
        self.waiting.setVisible(frame is None)
        self.meaning.setText(meaning_of(answer.task, answer.recognised))
        self.meaning.setVisible(bool(answer.task))
        self.raw.show_lines(answer.raw or ())
        self.measured.setVisible(frame is not None)
        if frame is not None:
            self._show_figures(frame, frame.latency_ms)

    def _show_figures(self, counts: FrameReport | StreamResult, latency: float | None) -> None:
        self.measured.show_fields(
            [
                ("End to end", f"{figures.milliseconds(latency)} ms"),
                ("Completed", figures.whole(counts.answered)),
                ("Dropped", figures.whole(counts.dropped)),
                ("Failed", figures.whole(counts.failed)),
                ("Rate", f"{figures.rate(counts.fps)} frames/s"),
            ]
        )

    def _show_served(self) -> None:
        target = self.choice.target
        releases = self.workspace.registry.releases(target.name) if target else ()
        served = target_rows.running(releases).name if target else ""
        self.set_note("" if self.shown_added else served)
        self.sample_button.setVisible(self._held_out() is not None)

    def _explain(self) -> None:
        """Name the primary button after what it does next, and say why it cannot be pressed."""
        if self.primary is None:
            return
        if view := self.shown_added:
            text, reason = view.next_step()
            self.primary.setText(text)
            self.primary.setAccessibleName(text)
            set_enabled(self.primary, reason)
            explain(self._command, reason)
            return
        running = self.strip.running
        self.primary.setText("Stop" if running else "Start")
        self.primary.setAccessibleName("Stop sending" if running else "Send and show the results")
        reason = "" if self.choice.targets else "No deployments yet."
        if not reason and not running and not self.source.text().strip():
            reason = "Choose an input first."
        set_enabled(self.primary, reason)
        explain(self._command, reason)
        self.waiting.setText(_SENDING if running else _EMPTY)
        busy = "Stop the current input first." if running else ""
        for one in (self.picture_button, self.folder_button, self.sample_button):
            set_enabled(one, busy)

    def _show_tools(self) -> None:
        """Show the tools of the shown view."""
        super()._show_tools()
        self.choice.setVisible(bool(self.choice.targets) and self.shown_added is None)
        self._show_served()
        self._explain()


def _text_of(answer: FrameAnswer) -> str:
    """Return an answer in words, by its kind."""
    texts = {
        "classes": answer.classes[0].label if answer.classes else "",
        "map": figures.count(len(answer.classes or ()), "class", "classes"),
        "text": f"{answer.text}\n{percent(answer.score or 0)}",
        "boxes": figures.count(len(answer.boxes or ()), "object"),
        "values": "\n".join(answer.values or ()),
    }
    return texts.get(answer.kind, "")
