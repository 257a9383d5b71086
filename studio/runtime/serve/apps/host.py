"""The app of the served release: started, stopped and exchanged with it."""

from __future__ import annotations

import fcntl
import threading
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional, Tuple

from ...backends.failure import first_line
from ...shared.errors import LoadError
from ...shared.threads import guarded_thread
from ...shared.trial_request import TrialRequest
from ..engine.served_model import ServedModel
from .places import bundle_folder, data_folder, is_app, root_of

if TYPE_CHECKING:  # most servers have no app, and load nothing for one
    from .hosted_app import RunningApp
    from .shadow import AppShadow

Log = Callable[..., None]

FAILED = "failed"
"""State of an app that could not be started."""

_LOCK = "app.lock"
_PAUSE_S = 0.2


class AppHost:
    """Runs the app of the model that is served, if its bundle has one.

    Sources and the outbox belong to one process: a successor waits for the lock of the one before.

    Attributes:
        running: The app at work; None without one.
        fault: Why it does not run; empty without an app, too.
    """

    def __init__(self, log: Log) -> None:
        self.running: Optional[RunningApp] = None
        self.fault = ""
        self._log = log
        self._wanted: Optional[ServedModel] = None
        self._turn = self._done = 0
        self._changed = threading.Condition()
        self._thread: Optional[threading.Thread] = None
        self._lock: Optional[IO[str]] = None

    def use(self, model: Optional[ServedModel]) -> None:
        """Run the app of this model from now on; None ends the app at work."""
        folder = None if model is None else bundle_folder(model)
        has_app = folder is not None and is_app(folder)
        if not has_app and self.running is None and self._thread is None:
            return  # most servers have no app, and start no thread
        if model is not None and has_app:
            # Before the app runs: its trial must not begin as one of the model's answers.
            model.comparison = self._compare
        with self._changed:
            self._wanted = model if has_app else None
            self._turn += 1
            self._changed.notify_all()
        if self._thread is None:
            self._thread = guarded_thread("app host", self._work, self._failed)
            self._thread.start()

    def end(self, seconds: float = 5.0) -> None:
        """End the app, and wait for it."""
        if self._thread is None:
            return
        self.use(None)
        deadline = time.monotonic() + seconds
        while self._lock is not None and time.monotonic() < deadline:
            time.sleep(0.01)

    def status(self) -> Optional[Dict[str, Any]]:
        """Return the state of the app; None without one."""
        running = self.running
        if running is None:
            return {"state": FAILED, "fault": self.fault} if self.fault else None
        return {"state": "running", **running.status()}

    def frames(self) -> Tuple[int, int]:
        """Return the number of frames of the app, and of those that failed."""
        running = self.running
        if running is None:
            return 0, 0
        return running.engine.latency.count, running.engine.runner.failed

    def events(self, after: str, limit: int) -> List[Mapping[str, Any]]:
        """Return the newest events, or those after an id, the oldest first.

        Raises:
            OSError: when the store cannot be read.
        """
        running = self.running
        if running is None:
            return []
        outbox = running.outbox
        found = outbox.after(after, limit) if after else outbox.newest(limit)
        return [one.to_json() for one in found]

    def _compare(self, wish: TrialRequest, folder: Path) -> Optional[AppShadow]:
        """Begin a comparison with the previous app; None while the new one does not run yet."""
        running = self.running
        if running is None:
            return None
        from .shadow import AppShadow

        return AppShadow(running, wish, folder)

    # On the thread of the host

    def _work(self) -> None:
        while True:
            with self._changed:
                while self._done == self._turn:
                    self._changed.wait()
                self._done, wanted = self._turn, self._wanted
            self._stop()
            if wanted is not None:
                self._start(wanted, self._done)

    def _failed(self, error: BaseException) -> None:
        self.fault = "The app failed: {}".format(first_line(error))
        self._log("app failed", error=self.fault)

    def _stop(self) -> None:
        running, self.running = self.running, None
        if running is not None:
            running.stop()
            self._log("app stopped", name=running.bundle.document.name)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _start(self, model: ServedModel, turn: int) -> None:
        folder = bundle_folder(model)
        try:
            from .bundle import app_of
            from .hosted_app import RunningApp

            bundle = None if folder is None else app_of(folder, model.source)
            if folder is None or bundle is None or not self._locked(folder, turn):
                return
            root = root_of(folder)
            running = RunningApp(bundle, model, root, data_folder(folder))
            running.start()
        except (LoadError, OSError) as error:
            self.fault = str(error)
            self._log("app failed", error=self.fault)
            return
        self.fault = ""
        self.running = running
        self._log("app started", name=bundle.document.name)

    def _locked(self, folder: Path, turn: int) -> bool:
        """Wait until no other process runs an app here; False when something else is wanted."""
        place = data_folder(folder)
        place.mkdir(parents=True, exist_ok=True)
        lock = (place / _LOCK).open("w")
        while turn == self._turn:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                time.sleep(_PAUSE_S)
                continue
            self._lock = lock
            return True
        lock.close()
        return False
