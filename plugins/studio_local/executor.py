"""This computer as an executor: tasks as processes, some at a time."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from studio.api import (
    ExecutorSession,
    ProgramStart,
    SharedFolder,
    TaskOrder,
    TaskPhase,
    TaskSight,
    UsageError,
)
from studio.api.tasks.executors import PROGRAM


class LocalExecutor:
    """Processes of this computer: ``local:`` or ``local:4`` for four at a time."""

    id = "local"
    title = "This computer"
    schemes = ("local",)

    def open(self, address: str, start: ProgramStart | None = None) -> ExecutorSession:
        """Return a session."""
        text = address.partition(":")[2].strip("/")
        if text and not (text.isdigit() and 0 < int(text) <= 256):
            raise UsageError(f"--on {address}: a number of tasks from 1 to 256 must follow.")
        return LocalTasks(int(text or 0) or os.cpu_count() or 1)


class LocalTasks:
    """Tasks on this computer; those beyond the number wait in the order of their coming."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._shared = SharedFolder(Path(tempfile.mkdtemp(prefix="edgewright-tasks-")))
        self._waiting: list[str] = []
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()

    def submit(self, order: TaskOrder) -> None:
        """Queue a task."""
        with self._lock:
            self._shared.lay(order)
            self._waiting.append(order.id)
            self._start()

    def look(self, task: str) -> TaskSight:
        """Return what is known of a task."""
        with self._lock:
            self._start()
            process = self._processes.get(task)
            if process is None:
                phase = TaskPhase.WAITING if task in self._waiting else TaskPhase.ENDED
                return TaskSight(phase)
            ended = process.poll() is not None
            events = self._shared.events(task)  # after the question whether it has ended
            if not ended or events:
                return TaskSight(TaskPhase.RUNNING, events=events)
            return TaskSight(TaskPhase.LOST, reason=f"its process ended with {process.returncode}")

    def cancel(self, task: str) -> None:
        """End a task."""
        with self._lock:
            if task in self._waiting:
                self._waiting.remove(task)
            process = self._processes.get(task)
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGTERM)

    def fetch(self, task: str, file: Path) -> None:
        """Copy the output."""
        self._shared.fetch(task, file)

    def forget(self, task: str) -> None:
        """End a task at once, and remove its folder."""
        with self._lock:
            if task in self._waiting:
                self._waiting.remove(task)
            process = self._processes.pop(task, None)
            if process is not None:
                process.kill()
                process.wait()
                if process.stdin is not None:
                    process.stdin.close()
            self._shared.forget(task)

    def close(self) -> None:
        """End everything, and remove the folder."""
        for task in list(self._processes):
            self.forget(task)
        shutil.rmtree(self._shared.folder, ignore_errors=True)

    def _start(self) -> None:
        running = sum(process.poll() is None for process in self._processes.values())
        while self._waiting and running < self._most:
            task = self._waiting.pop(0)
            folder = self._shared.task(task)
            words = [sys.executable, *PROGRAM, "--leash", str(folder), str(self._shared.inputs)]
            with (folder / "stderr").open("wb") as errors:
                self._processes[task] = subprocess.Popen(
                    words, stdin=subprocess.PIPE, stdout=errors, stderr=errors
                )
            running += 1
