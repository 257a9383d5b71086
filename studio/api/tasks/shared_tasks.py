"""Tasks in a folder that this computer and all nodes share, as clusters have one.

::

    FOLDER/inputs/<sha256>     each input once, complete under its name or not there
    FOLDER/tasks/<id>/...      the folder of an attempt (``executors``)
"""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from pathlib import Path

from studio.api.errors import TargetError
from studio.api.tasks.executors import DOCUMENT, EVENTS, OUTPUT, TaskOrder

_MOST_AT_ONCE = 1 << 20


class SharedFolder:
    """A folder for tasks.

    Attributes:
        folder: It; made when it is not there.
        inputs: Where the program of a task finds its inputs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inputs = folder / "inputs"
        self._read: dict[str, int] = {}
        try:
            for place in (self.inputs, folder / "tasks"):
                place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TargetError(
                f"The shared folder {folder} cannot be used: {error.strerror or error}."
            ) from error

    def task(self, task: str) -> Path:
        """Return the folder of an attempt."""
        return self.folder / "tasks" / task

    def lay(self, order: TaskOrder) -> Path:
        """Write the inputs and the document of an order; returns its folder.

        Raises:
            TargetError: when something cannot be written.
        """
        place = self.task(order.id)
        try:
            for digest, path in order.inputs.items():
                self._lay_input(digest, path)
            place.mkdir(mode=0o700)
            (place / DOCUMENT).write_bytes(order.document)
        except OSError as error:
            raise TargetError(
                f"The shared folder {self.folder} cannot be written: {error.strerror or error}."
            ) from error
        return place

    def events(self, task: str) -> bytes:
        """Return the whole lines that the program has written since the call before."""
        begin = self._read.get(task, 0)
        try:
            with (self.task(task) / EVENTS).open("rb") as file:
                file.seek(begin)
                chunk = file.read(_MOST_AT_ONCE)
        except OSError:  # not there yet, or the folder is away for a moment
            return b""
        whole = chunk[: chunk.rfind(b"\n") + 1]
        self._read[task] = begin + len(whole)
        return whole

    def fetch(self, task: str, file: Path) -> None:
        """Copy the output of a task.

        Raises:
            TargetError: when it is not there.
        """
        try:
            shutil.copyfile(self.task(task) / OUTPUT, file)
        except OSError as error:
            raise TargetError(
                f"The output of the task cannot be read: {error.strerror or error}."
            ) from error

    def forget(self, task: str) -> None:
        """Remove the folder of an attempt; the inputs stay for the next."""
        self._read.pop(task, None)
        shutil.rmtree(self.task(task), ignore_errors=True)

    def _lay_input(self, digest: str, path: Path) -> None:
        place = self.inputs / digest
        if place.exists():
            return
        passing = self.inputs / f".{uuid.uuid4().hex}"
        try:
            shutil.copyfile(path, passing)
            with passing.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != digest:
                raise OSError(None, f"{path} has changed")
            os.replace(passing, place)
        finally:
            passing.unlink(missing_ok=True)
