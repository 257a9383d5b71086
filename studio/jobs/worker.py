"""The worker process: exactly one job, events as JSON lines, no life beyond its parent's."""

from __future__ import annotations

import faulthandler
import importlib
import json
import logging
import os
import resource
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, cast

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before anything can import onnxruntime
# Before numpy: its threads spin, which costs more on small matrices than they save.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from studio.api import Cancelled, StudioError
from studio.documents.dataclass_json import from_json, to_json
from studio.documents.defects import DEFECT, reason, unforeseen
from studio.documents.plain import shortened
from studio.jobs.object_names import load
from studio.jobs.protection_guard import ProtectionGuard
from studio.jobs.worker_events import WorkerTask
from studio.jobs.worker_log import EventHandler
from studio.runtime.shared.errors import is_out_of_memory
from studio.settings.disk_space import HINT, is_of_full_disk
from studio.settings.logging import STUDIO, uncaught_logged
from studio.settings.project_preprocess import ProjectPreprocess

log = logging.getLogger(__name__)

_PROGRESS_INTERVAL = 0.05  # seconds; faster updates are not visible


class WorkerJob:
    """The worker's side of a job: events out, cancellation in."""

    def __init__(self, folder: Path, out: BinaryIO) -> None:
        self.folder = folder
        self._out = out
        self._lock = threading.Lock()
        self._cancelled = threading.Event()
        self._last = 0.0

    def progress(self, done: float, total: float, text: str = "") -> None:
        """Report the progress of the work; the first, the last and some between are sent."""
        self.check()
        now = time.monotonic()
        if now - self._last >= _PROGRESS_INTERVAL or done >= total:
            self._last = now
            self.send("progress", done=done, total=total, text=text)

    def log(self, text: str) -> None:
        """Add a line to the job's log."""
        self.send("log", text=text)

    def event(self, name: str, /, **values: Any) -> None:
        """Send a message to the job's listeners."""
        self.check()
        self.send("message", name=name, values=values)

    def used(self, plugin: str) -> None:
        """Report the plugin whose code runs next; empty for the studio's own."""
        self.send("plugin", plugin=plugin)

    def check(self) -> None:
        """Raise Cancelled when the parent asked to stop."""
        if self._cancelled.is_set():
            raise Cancelled

    def cancel(self) -> None:
        """Make the next progress point raise."""
        self._cancelled.set()

    def finish(self, kind: str, **values: Any) -> None:
        """Send the last event."""
        self.send(kind, **values)

    def send(self, kind: str, **values: Any) -> None:
        """Send an event as it is."""
        line = json.dumps({"event": kind, **values}, default=str).encode() + b"\n"
        with self._lock:
            self._out.write(line)
            self._out.flush()


def main() -> int:
    """Wait for a job on standard input, do it, and say how it ended."""
    out = _redirect_stdout()
    faulthandler.enable()
    for name in sys.argv[1:]:
        _preload(name)
    out.write(b'{"event":"ready"}\n')
    out.flush()
    line = sys.stdin.buffer.readline()
    if not line:
        return 0
    task = from_json(WorkerTask, json.loads(line))
    job = WorkerJob(Path(task.folder), out)
    threading.Thread(target=_watch_parent, args=(job,), name="parent", daemon=True).start()
    _limit(task.memory_mb, task.cpu_seconds)
    logging.getLogger().addHandler(EventHandler(job.send))
    logging.getLogger(STUDIO).setLevel(task.log_level)
    ProjectPreprocess.path = Path(task.preprocess) if task.preprocess else None
    ProtectionGuard.current = task.guard
    with uncaught_logged():
        _run(task, job)
    # Native threads of a runtime may hang in their destructors; nothing is left to be done.
    sys.stderr.flush()
    os._exit(0)


def _redirect_stdout() -> BinaryIO:
    """Keep fd 1 for the events and redirect native output to fd 2."""
    events = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return cast(BinaryIO, events)


def _preload(name: str) -> None:
    try:
        importlib.import_module(name)
    except Exception:  # a broken library fails the job that needs it, not every job
        traceback.print_exc()  # there is no job yet whose record it could be


def _watch_parent(job: WorkerJob) -> None:
    """A line means: cancel. The end of input means that the parent is gone."""
    while sys.stdin.buffer.readline():
        job.cancel()
    os._exit(1)


def _limit(memory_mb: int, cpu_seconds: int) -> None:
    if memory_mb:
        # Not of the address space, most of which a runtime with many threads only reserves.
        size = memory_mb << 20
        resource.setrlimit(resource.RLIMIT_DATA, (size, size))
    if cpu_seconds:
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _run(task: WorkerTask, job: WorkerJob) -> None:
    from studio.plugin_host import PluginHost  # late: a worker kept ready has imported it

    PluginHost.used = job.used
    try:
        work: Callable[..., object] = load(task.entry)
        options: object = task.arguments
        if task.options:
            options = from_json(load(task.options), options)
        job.finish("result", result=to_json(work(options, job)))
    except Cancelled:
        job.finish("cancelled")
    except MemoryError:
        job.finish("memory")
    except StudioError as error:
        job.finish("error", **describe(error))
    except OSError as error:
        message, hint = _of_system(error, job.folder)
        job.finish("error", message=message, hint=hint, detail=traceback.format_exc(), exit_code=1)
    except ImportError as error:
        if is_out_of_memory(error):
            job.finish("memory")
        else:
            job.finish("error", **_of_defect(error), detail=traceback.format_exc(), exit_code=1)
    except Exception as error:  # a defect, or unforeseen bad input: still one sentence
        log.debug("the work failed", exc_info=True)
        job.finish("error", **_of_defect(error), detail=traceback.format_exc(), exit_code=1)


def _of_defect(error: Exception) -> dict[str, Any]:
    """Return a defect as a sentence, with the plugin that has it."""
    from studio.plugin_host.plugin_import import culprit

    plugin = culprit(error)
    if not plugin:
        return {"message": unforeseen(error), "hint": DEFECT}
    message = f"The plugin {plugin} failed: {reason(error)}"
    return {"message": message, "fields": {"plugin": plugin}}


def _of_system(error: OSError, folder: Path) -> tuple[str, str]:
    """Return the sentence and the hint for an error of the operating system."""
    if is_of_full_disk(error):
        return f"The disk of {folder.parent} is full.", HINT
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{error.strerror or error}.", ""


def describe(error: StudioError) -> dict[str, Any]:
    """Return an error as JSON; the fields that its class adds travel too."""
    known = ("hint", "detail", "exit_code")
    fields = {k: v for k, v in vars(error).items() if k not in known and isinstance(v, str | int)}
    return {
        "error": type(error).__name__,
        "message": shortened(error.message),  # a name in a file may have megabytes
        "hint": shortened(error.hint),
        "detail": error.detail or traceback.format_exc(),
        "exit_code": error.exit_code,
        "fields": fields,
    }


__all__ = ["WorkerJob", "describe", "main"]

if __name__ == "__main__":
    sys.exit(main())
