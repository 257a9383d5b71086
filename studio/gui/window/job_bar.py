"""The line of jobs at the bottom of the window: what runs, how far, how long, cancel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QSizePolicy

from studio.api.qt import plain_tip
from studio.gui import figures
from studio.gui.widgets.basics import GRID, ElidedLabel, button, label
from studio.gui.window.time_left import TimeLeft

if TYPE_CHECKING:
    from studio.workspace import RunningJob

HEIGHT = 32
BAR_WIDTH = 180
TICK_MS = 1000


FULL = 1000
"""The steps of a progress bar."""

MOST = 0.99
"""Shown share of a job that has not ended, whatever it has counted."""


def show_progress(bar: QProgressBar, done: float, total: float) -> None:
    """Show how far a running job is; a bar is never full before the end.

    Qt shows a range of 0 as a busy indicator, for a job without a known total.
    """
    bar.setRange(0, FULL if total > 0 else 0)
    if total > 0:
        bar.setValue(round(FULL * min(done / total, MOST)))


OFFLINE, ONLINE = "Offline: no network access", "Online: a job has network access"

_APP = "app-run"
"""Runs until it is stopped on its own page, where its progress is."""


class JobBar(QFrame):
    """The bar that shows the newest running job and opens the list of all.

    Signals:
        list_asked: The user wants to see all jobs.
    """

    list_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._jobs: Sequence[RunningJob] = ()
        self._estimated = ("", TimeLeft())
        self.setProperty("role", "jobbar")
        self.setAccessibleName("Jobs")
        self.setFixedHeight(HEIGHT)
        self.count = button("No jobs running", self.list_asked.emit, "quiet")
        self.count.setToolTip("Activity (Ctrl+J)")
        self.text = ElidedLabel("", Qt.TextElideMode.ElideRight)
        self.text.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self.bar = QProgressBar()
        self.bar.setAccessibleName("Progress")
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(BAR_WIDTH)
        self.left = label("", "dim")
        self.cancel = button("Cancel", self.cancel_job, "link")
        self.cancel.setToolTip("Cancel this job (Ctrl+.)")
        self.sandbox = label("", "dim")
        self.offline = label(OFFLINE, "dim")
        self.offline.setToolTip(
            "No account, no telemetry. The network is used only for deployments and downloads "
            "that you start."
        )
        layout = self._line = QHBoxLayout(self)
        layout.setContentsMargins(GRID, 0, 2 * GRID, 0)
        layout.setSpacing(12)
        for item in (self.count, self.text, self.bar, self.left, self.cancel):
            layout.addWidget(item)
        layout.addStretch(1)
        layout.addWidget(self.sandbox)
        layout.addWidget(self.offline)
        self._tick = QTimer(self, interval=TICK_MS)
        self._tick.timeout.connect(self.refresh)
        self.refresh()

    def follow(self, jobs: Sequence[RunningJob]) -> None:
        """Show these jobs from now on; the sequence grows as jobs are started.

        A watch is left out: it starts and ends with the page that shows it.
        """
        self._jobs = jobs
        self.refresh()

    def _listed(self) -> list[RunningJob]:
        if not self._jobs:
            return []
        from studio.workspace import is_watch  # the first paint needs it not

        return [job for job in self._jobs if not is_watch(job)]

    def _count_text(self, listed: Sequence[RunningJob], running: int) -> str:
        """Return what runs; an app is a watch of its page, but it runs."""
        apps = sum(job.running and job.spec.step == _APP for job in self._jobs)
        texts = [figures.count(running, "job")] if running else []
        texts += [f"{figures.count(apps, 'app')} running"] if apps else []
        return ", ".join(texts) or _ended(listed)

    def show_sandbox(self, level: str, explanation: str) -> None:
        """Show how workers are contained."""
        self.sandbox.setText(f"Worker sandbox: {level}")
        self.sandbox.setToolTip(plain_tip(explanation))

    def current(self) -> RunningJob | None:
        """Return the newest job that runs."""
        return next((job for job in reversed(self._listed()) if job.running), None)

    def cancel_job(self) -> None:
        """Cancel the job that is shown."""
        job = self.current()
        if job is not None:
            self.cancel.setEnabled(False)
            self.cancel.setText("Stopping…")
            job.cancel()

    def _estimate(self, job: RunningJob) -> TimeLeft:
        if self._estimated[0] != job.id:
            self._estimated = (job.id, TimeLeft())
        return self._estimated[1]

    def refresh(self) -> None:
        """Show how things stand."""
        listed = self._listed()
        running = [job for job in listed if job.running]
        job = running[-1] if running else None
        self.offline.setText(ONLINE if any(_uses_network(each) for each in self._jobs) else OFFLINE)
        self.count.setText(self._count_text(listed, len(running)))
        self.count.setAccessibleName(f"{self.count.text()}; show Activity")
        for item in (self.text, self.bar, self.left, self.cancel):
            item.setVisible(job is not None)
        if job is None:
            self._tick.stop()
            self.cancel.setEnabled(True)
            self.cancel.setText("Cancel")
            self._line.activate()  # a longer count is not cut until the next turn
            return
        if not self._tick.isActive():
            self._tick.start()
        state = job.state
        self.text.setText(f"{job.title} · {state.text}" if state.text else job.title)
        show_progress(self.bar, state.done, state.total)
        self.left.setText(self._estimate(job).text(job))
        self._line.activate()


def _uses_network(job: RunningJob) -> bool:
    from studio.api import Permission

    return job.running and Permission.NETWORK in job.spec.needs


def _ended(jobs: Sequence[RunningJob]) -> str:
    """Return how the jobs that Activity lists ended, by the kind of end: ``1 failed, 3 done``."""
    if not jobs:
        return "No jobs running"
    from studio.workspace import is_listed

    ended = [job.outcome.end.value for job in jobs if job.outcome is not None and is_listed(job)]
    counts = {"done": ended.count("succeeded"), "cancelled": ended.count("cancelled")}
    counts = {"failed": len(ended) - sum(counts.values()), **counts}
    return (
        ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "No jobs running"
    )
