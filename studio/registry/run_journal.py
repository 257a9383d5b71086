"""The journal of a pipeline's run: a folder that tells after a crash how far it had come."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from studio.api import UsageError
from studio.documents.dataclass_json import InvalidDocument, JsonValue, from_json, to_json
from studio.registry.run_records import INTERRUPTED, RUNNING, Product, RunJournal
from studio.settings import write_atomically

RUN_FILE = "run.json"
PIPELINE_FILE = "recipe.toml"
"""The copy of the pipeline; its name on the disk is that of earlier versions."""
REPORT_FILE = "report.html"
JUNIT_FILE = "junit.xml"
_LOCK_FILE = "lock"
_RESULTS = "results"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One run, on the disk.

    ``run.json`` is replaced whole, after the result that it speaks of has been written; so what
    it says was done, was done.
    """

    folder: Path

    @property
    def id(self) -> str:
        """The run's name."""
        return self.folder.name

    def write(self, journal: RunJournal) -> None:
        """Replace the journal."""
        text = json.dumps(to_json(journal), indent=1, default=str)
        write_atomically(self.folder / RUN_FILE, text.encode())

    def read(self) -> RunJournal:
        """Return the journal; one whose process ended in the middle is ``interrupted``.

        Raises:
            UsageError: when it cannot be read.
        """
        try:
            text = (self.folder / RUN_FILE).read_text(encoding="utf-8")
            journal = from_json(RunJournal, json.loads(text))
        except (OSError, InvalidDocument, ValueError):
            raise UsageError(f"The journal of the run {self.id} cannot be read.") from None
        if journal.state == RUNNING and not self.is_held():
            return replace(journal, state=INTERRUPTED)
        return journal

    def write_result(self, step: str, result: Mapping[str, JsonValue]) -> None:
        """Keep a step's result."""
        text = json.dumps(result, default=str)
        write_atomically(self._result(step), text.encode())

    def product(self, step: str) -> Product:
        """Return what a step's result names in the store."""
        return Product.of(self.result(step))

    def result(self, step: str) -> dict[str, JsonValue]:
        """A step's result; empty where there is none."""
        try:
            return dict(json.loads(self._result(step).read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {}

    def _result(self, step: str) -> Path:
        return self.folder / _RESULTS / f"{step}.json"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the run; the system lets go of it when the process ends, however it ends.

        Raises:
            UsageError: when another process holds it.
        """
        handle = os.open(self.folder / _LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UsageError(
                    f"The run {self.id} goes on in another process.",
                    hint="Wait for it, or end that process first.",
                ) from None
            yield
        finally:
            os.close(handle)

    def is_held(self) -> bool:
        """Whether a process works on it."""
        try:
            handle = os.open(self.folder / _LOCK_FILE, os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        return False


class RunFolders:
    """The runs of a workspace, a folder each.

    Args:
        folder: Where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def new(self, name: str) -> RunFolder:
        """A folder for a new run of a pipeline of this name."""
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        safe = re.sub(r"[^\w-]+", "-", name).strip("-") or "pipeline"
        made = self.folder / f"{safe}-{stamp}-{uuid.uuid4().hex[:4]}"
        made.mkdir(parents=True)
        return RunFolder(made)

    def all(self) -> list[RunFolder]:
        """Every run with a journal, the newest first."""
        found = [path.parent for path in self.folder.glob(f"*/{RUN_FILE}")]
        return [RunFolder(path) for path in sorted(found, key=_age, reverse=True)]

    def find(self, name: str) -> RunFolder:
        """A run by its id, the beginning of one, or ``last``.

        Raises:
            UsageError: when there is none, or several.
        """
        runs = self.all()
        if name == "last" and runs:
            return runs[0]
        exact = [run for run in runs if run.id == name]
        found = exact or [run for run in runs if run.id.startswith(name)]
        if len(found) == 1:
            return found[0]
        problem = "There is no run" if not found else "Several runs begin with"
        hint = f"The last ones: {', '.join(run.id for run in runs[:3])}." if runs else ""
        raise UsageError(f"{problem} {name!r}.", hint=hint)

    def remove(self, name: str) -> None:
        """Forget a run; what it made stays."""
        shutil.rmtree(self.find(name).folder)


def _age(folder: Path) -> tuple[float, str]:
    """What sorts runs by their beginning: the pipeline is written once, then."""
    try:
        return ((folder / PIPELINE_FILE).stat().st_mtime, folder.name)
    except OSError:
        return (0.0, folder.name)
