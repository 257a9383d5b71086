"""Running of jobs: a thread a job that listens to its worker, and one worker kept ready."""

from __future__ import annotations

import logging
import shutil
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import Any, Protocol

from studio.api import StudioError
from studio.documents.dataclass_json import from_json
from studio.documents.defects import DEFECT, unforeseen
from studio.jobs.cleanup import new_folder, remove_leftovers
from studio.jobs.elsewhere import Executors, Worker, make_executors
from studio.jobs.job_records import JobRecords
from studio.jobs.memory import TOGETHER, share_mb
from studio.jobs.outcome import End, JobOutcome, failure
from studio.jobs.process import TooMuchMemory, WorkerProcess, WorkerStalled
from studio.jobs.sandbox import (
    NONE,
    Containment,
    Sandbox,
    contained,
    containment,
    readable_around,
)
from studio.jobs.spare import SpareWorker, identities, linked
from studio.jobs.spec import JobSpec
from studio.jobs.step import Limits
from studio.jobs.worker import describe
from studio.jobs.worker_events import WorkerEvent
from studio.lazy_dataclass import dataclass
from studio.plugin_host.environments.environment import interpreters
from studio.settings import Paths
from studio.settings.disk_space import hint_for
from studio.settings.redaction import Redactor

log = logging.getLogger(__name__)

_MOST_LINES = 1000
"""Of a job's log in memory; the newest are kept."""

Finish = Callable[[dict[str, Any], Path], Any]
"""Makes the record of a result, given the job's folder; returns the final result."""


@dataclass(frozen=True, slots=True)
class JobProgress:
    """The progress of a job; a total of 0 means that it is unknown."""

    done: float = 0.0
    total: float = 0.0
    text: str = ""


@dataclass(eq=False)
class RunningJob:
    """A job from its start to its end, and after it.

    Attributes:
        started: ``time.monotonic()`` at the start.
        outcome: None while it runs.
        log: What the work wrote, a line each.
        records: Writes into the log what becomes of it.
    """

    spec: JobSpec
    started: float = field(default_factory=time.monotonic)
    state: JobProgress = field(default_factory=JobProgress)
    outcome: JobOutcome | None = None
    log: list[str] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)
    _worker: Worker | None = None
    _cancelled: bool = False
    _plugin: str = ""

    def __post_init__(self) -> None:
        self.records = JobRecords(self.spec)
        self.log.extend(self.spec.notes)

    @property
    def id(self) -> str:
        """Unique among all jobs."""
        return self.spec.id

    @property
    def title(self) -> str:
        """The title of the job for the user."""
        return self.spec.title

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self.outcome is None

    def cancel(self) -> None:
        """Cancel the job: at its next progress point, SIGTERM after 3 s, SIGKILL after 5 s."""
        self._cancelled = True
        if self._worker is not None and self.running:
            self._worker.cancel()

    def wait(self, timeout: float | None = None) -> JobOutcome | None:
        """Wait for the end; None when the time was up before it."""
        self._ended.wait(timeout)
        return self.outcome

    def _end(self, outcome: JobOutcome) -> None:
        self.outcome = outcome
        self._ended.set()


class JobListener(Protocol):
    """A listener to the events of jobs, on the job's own thread; any method may be overridden."""

    def started(self, job: RunningJob) -> None:
        """React to the start of a job."""
        return None

    def progressed(self, job: RunningJob) -> None:
        """React to a change of the job's ``state``."""
        return None

    def message(self, job: RunningJob, name: str, values: Mapping[str, Any]) -> None:
        """React to a message that the job's work sent."""
        return None

    def blamed(self, plugin: str, sentence: str) -> None:
        """React to a failure in a plugin's code; called before the job's ``outcome`` is known."""
        return None

    def finished(self, job: RunningJob) -> None:
        """React to the job's ``outcome``."""
        return None


class _NoListener(JobListener):
    """A listener that does nothing."""


_PRELOAD = ("studio.jobs.nested_job", "studio.plugin_host")
"""What most jobs import that do more than look at a file."""


class JobRunner:
    """The runner that starts jobs in workers.

    Attributes:
        containment: How workers that parse or run models are contained.
    """

    def __init__(
        self,
        paths: Paths,
        *,
        store: Path,
        listener: JobListener | None = None,
        sandbox: bool = True,
        preload: Sequence[str] = (),
    ) -> None:
        self._paths = paths
        self._redactor = Redactor.of(paths.data)
        self._always_readable = (
            store,
            paths.plugins,
            paths.trust,
            paths.samples,
            paths.environments,
        )
        self._executors: Executors | None = None
        self._listener = listener or _NoListener()
        self._preload = tuple(preload)
        self._wanted = sandbox
        self._spare: SpareWorker | None = None
        self._lock = threading.Lock()
        self._running: set[RunningJob] = set()
        self._closed = False
        for place in (paths.jobs, *self._always_readable):
            place.mkdir(parents=True, exist_ok=True)  # a worker sees it only where it exists
        remove_leftovers(paths.jobs)

    @property
    def containment(self) -> Containment:
        """How workers that parse or run models are contained."""
        return containment() if self._wanted else NONE

    def prepare(self) -> None:
        """Start the worker that is kept ready; what it imports is then paid for already."""
        with self._lock:
            if self._spare is None and not self._closed:
                shown = identities(self._always_readable)
                preload = (*_PRELOAD, *self._preload)
                self._spare = SpareWorker(self._new_worker(preload=preload), shown)

    def start(
        self,
        spec: JobSpec,
        finish: Finish | None = None,
        ended: Callable[[], None] = lambda: None,
    ) -> RunningJob:
        """Start a job.

        Args:
            finish: Called on the job's thread after the work has succeeded, before its folder is
                removed; what it raises fails the job.
            ended: Called on that thread before the job counts as ended, however it ends.
        """
        job = RunningJob(spec)
        with self._lock:
            self._running.add(job)
        job.records.started()
        self._listener.started(job)
        threading.Thread(
            target=self._follow, args=(job, finish, ended), name=f"job {spec.id}"
        ).start()
        return job

    def close(self) -> None:
        """Cancel what runs, wait for it, and end the worker that is kept ready."""
        with self._lock:
            self._closed = True
            running, spare, self._spare = list(self._running), self._spare, None
        for job in running:
            job.cancel()
        for job in running:
            job.wait(10.0)
        if spare is not None:
            spare.end()
        if self._executors is not None:
            self._executors.close()

    def _follow(self, job: RunningJob, finish: Finish | None, ended: Callable[[], None]) -> None:
        try:
            outcome = self._outcome(job, finish)
        except Exception as error:  # the caller that waits for the job must get it
            log.debug("a job was not followed to its end", exc_info=True, extra={"job": job.id})
            text, detail = unforeseen(error, job.title), traceback.format_exc()
            outcome = JobOutcome(End.FAILED, "", {}, text, DEFECT, detail, 1)
        seconds = time.monotonic() - job.started
        with self._lock:
            self._running.discard(job)
        outcome = replace(outcome, title=job.title, seconds=seconds)
        job.records.ended(outcome)
        if outcome.plugin:
            self._listener.blamed(outcome.plugin, outcome.sentence)
        ended()
        job._end(outcome)
        self._listener.finished(job)

    def _outcome(self, job: RunningJob, finish: Finish | None) -> JobOutcome:
        if not job.spec.entry:
            return self._without_worker(job, finish)
        try:
            worker = self._worker_for(job.spec)
        except OSError as error:
            text = f"A worker could not be started: {error.strerror or error}."
            return JobOutcome(End.FAILED, message=text, hint=hint_for(error), exit_code=1)
        except StudioError as error:  # the executor cannot be opened
            return failure(from_json(WorkerEvent, describe(error)))
        job._worker = worker
        limits = _bounded(job.spec)
        if job._cancelled:  # cancelled before there was a worker
            worker.cancel()
        try:
            worker.send(replace(job.spec, limits=limits))
            last = self._listen(job, worker, limits)
            number = worker.finish()
            return self._conclude(job, worker, last, number, finish)
        except (TimeoutError, WorkerStalled) as end:
            worker.finish()
            silence = job.spec.limits.silence if isinstance(end, WorkerStalled) else 0.0
            return JobOutcome(End.TIMED_OUT, silence=silence, exit_code=1)
        except TooMuchMemory:
            worker.finish()
            return JobOutcome(End.OUT_OF_MEMORY, exit_code=1)
        finally:
            worker.store_native_output(self._paths.logs / "workers", job.id, self._redactor)
            worker.remove()

    def _without_worker(self, job: RunningJob, finish: Finish | None) -> JobOutcome:
        if job._cancelled:
            return JobOutcome(End.CANCELLED, exit_code=130)
        folder = new_folder(self._paths.jobs)
        try:
            return self._record({}, folder, finish)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _listen(self, job: RunningJob, worker: Worker, limits: Limits) -> WorkerEvent:
        """Pass the events on; returns the last, or an empty one when the worker just ended."""
        last = WorkerEvent()
        together = limits.memory_mb * TOGETHER
        for event in worker.events(limits.seconds, limits.silence, together):
            if event.event == "progress":
                job.state = JobProgress(event.done, event.total, str(event.text))
                self._listener.progressed(job)
            elif event.event == "log":
                job.records.of_worker(event)
                if event.level is None:
                    job.log.append(str(event.text))
                    del job.log[:-_MOST_LINES]
            elif event.event == "plugin":
                job._plugin = event.plugin
            elif event.event == "message":
                self._listener.message(job, event.name, event.values)
            elif event.event != "ready":
                last = event
        return last

    def _conclude(
        self,
        job: RunningJob,
        worker: Worker,
        last: WorkerEvent,
        number: int,
        finish: Finish | None,
    ) -> JobOutcome:
        kind = last.event
        if kind == "result":
            return self._record(last.result, worker.folder, finish)
        if kind == "memory":
            return JobOutcome(End.OUT_OF_MEMORY, exit_code=1)
        if kind == "cancelled" or (not kind and worker.cancel_requested):
            return JobOutcome(End.CANCELLED, exit_code=130)
        if kind == "error":
            return failure(last)
        return JobOutcome(
            End.CRASHED,
            signal=number,
            detail=worker.last_words(),
            exit_code=1,
            plugin=job._plugin,
        )

    @staticmethod
    def _record(result: dict[str, Any], folder: Path, finish: Finish | None) -> JobOutcome:
        try:
            folder.mkdir(exist_ok=True)  # a job without work has none yet
            final = finish(result, folder) if finish is not None else result
        except StudioError as error:
            return failure(from_json(WorkerEvent, describe(error)))
        except OSError as error:
            text = f"The result cannot be stored: {error.strerror or error}."
            hint, detail = hint_for(error), repr(error)
            return JobOutcome(End.FAILED, message=text, hint=hint, detail=detail, exit_code=1)
        return JobOutcome(End.SUCCEEDED, result=final)

    def _worker_for(self, spec: JobSpec) -> Worker:
        """Return the one that is kept ready where it can see enough, otherwise a new one."""
        if spec.on:
            return self._elsewhere().worker(spec.on, new_folder(self._paths.jobs))
        reads = [path for path in spec.reads if spec.isolated or not self._visible(path)]
        if not reads and not spec.needs and not spec.isolated:
            with self._lock:
                spare, self._spare = self._spare, None
            if spare is not None:
                self.prepare()
                if spare.shown == identities(self._always_readable) and spare.worker.alive:
                    return spare.worker
                spare.end()
        around = [shown for path in reads for shown in readable_around(path)]
        return self._new_worker(spec, around)

    def _elsewhere(self) -> Executors:
        with self._lock:
            if self._executors is None:
                shown = self._always_readable
                self._executors = make_executors(self._paths, shown, lambda: self.containment)
            return self._executors

    def _visible(self, path: Path) -> bool:
        return any(path.is_relative_to(folder) for folder in self._always_readable)

    def _new_worker(
        self, spec: JobSpec | None = None, reads: Sequence[Path] = (), preload: Sequence[str] = ()
    ) -> WorkerProcess:
        always: tuple[Path, ...] = ()
        if spec is None or not spec.isolated:
            environments = interpreters(self._paths.environments)
            always = (*self._always_readable, *environments, *linked(self._paths.plugins))
        walls = Sandbox(
            self.containment,
            new_folder(self._paths.jobs),
            (*always, *reads),
            spec.needs if spec else frozenset(),
        )
        return WorkerProcess(self._paths, walls, preload=preload)


def _bounded(spec: JobSpec) -> Limits:
    """Return the job's limits; one that may parse or run a model always has one of memory."""
    if spec.limits.memory_mb or not contained(spec.needs):
        return spec.limits
    return replace(spec.limits, memory_mb=share_mb())
