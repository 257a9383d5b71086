"""The journal of a pipeline run, a folder that records its progress for a resume."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from studio.api import UsageError
from studio.documents.dataclass_json import InvalidDocument, JsonValue, from_json, to_json
from studio.lazy_dataclass import dataclass
from studio.registry.run_records import INTERRUPTED, RUNNING, Product, RunJournal
from studio.settings import write_atomically

RUN_FILE = "run.json"
PIPELINE_FILE = "recipe.toml"
"""The copy of the pipeline, with the file name of earlier versions."""
REPORT_FILE = "report.html"
JUNIT_FILE = "junit.xml"
_LOCK_FILE = "lock"
_RESULTS = "results"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run on the disk.

    ``run.json`` is replaced as a whole, after the results that it names have been written. So every
    step that it lists as done has its result.
    """

    folder: Path

    @property
    def id(self) -> str:
        """The id of the run."""
        return self.folder.name

    def write(self, journal: RunJournal) -> None:
        """Replace the journal."""
        text = json.dumps(to_json(journal), indent=1, default=str)
        write_atomically(self.folder / RUN_FILE, text.encode())

    def read(self) -> RunJournal:
        """Return the journal; its state is ``interrupted`` if its process has ended.

        Raises:
            UsageError: when it cannot be read.
        """
        try:
            text = (self.folder / RUN_FILE).read_text(encoding="utf-8")
            journal = from_json(RunJournal, json.loads(text))
        except (OSError, InvalidDocument, ValueError):
            raise UsageError(f"The journal of the run {self.id} cannot be read.") from None
        # A crashed process has lost its lock, while its number may have been reused.
        if journal.state == RUNNING and not self.is_locked():
            return replace(journal, state=INTERRUPTED)
        return journal

    def write_result(self, step: str, result: Mapping[str, JsonValue]) -> None:
        """Store the result of a step."""
        text = json.dumps(result, default=str)
        write_atomically(self._result(step), text.encode())

    def product(self, step: str) -> Product:
        """Return the variant and the bundle that a step's result names."""
        return Product.of(self.result(step))

    def result(self, step: str) -> dict[str, JsonValue]:
        """Return the result of a step; empty without one."""
        try:
            return dict(json.loads(self._result(step).read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {}

    def _result(self, step: str) -> Path:
        return self.folder / _RESULTS / f"{step}.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the run; the system releases the lock when the process ends, even by a crash.

        Raises:
            UsageError: when another process has locked it.
        """
        handle = os.open(self.folder / _LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UsageError(
                    f"The run {self.id} is in progress in another process.",
                    hint="Wait for it, or stop that process.",
                ) from None
            yield
        finally:
            os.close(handle)

    def is_locked(self) -> bool:
        """Return whether a process has locked the run."""
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
    """The runs of a workspace, one folder each.

    Args:
        folder: Folder that contains them.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def new(self, name: str) -> RunFolder:
        """Create the folder of a new run, named after the pipeline."""
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        safe = re.sub(r"[^\w-]+", "-", name).strip("-") or "pipeline"
        made = self.folder / f"{safe}-{stamp}-{uuid.uuid4().hex[:4]}"
        made.mkdir(parents=True)
        return RunFolder(made)

    def all(self) -> list[RunFolder]:
        """Return all runs with a journal, the newest first."""
        found = [path.parent for path in self.folder.glob(f"*/{RUN_FILE}")]
        return [RunFolder(path) for path in sorted(found, key=_age, reverse=True)]

    def find(self, name: str) -> RunFolder:
        """Return a run by its id, the start of an id, or ``last``.

        Raises:
            UsageError: when no run matches, or several do.
        """
        runs = self.all()
        if name == "last" and runs:
            return runs[0]
        exact = [run for run in runs if run.id == name]
        found = exact or [run for run in runs if run.id.startswith(name)]
        if len(found) == 1:
            return found[0]
        problem = "Unknown run" if not found else "Several runs begin with"
        hint = f"The last ones: {', '.join(run.id for run in runs[:3])}." if runs else ""
        raise UsageError(f"{problem} {name!r}.", hint=hint)

    def remove(self, name: str) -> None:
        """Remove a run, but not its models and bundles."""
        shutil.rmtree(self.find(name).folder)


def _age(folder: Path) -> tuple[float, str]:
    """Return the sort key of a run: the time of its pipeline, which is written once."""
    try:
        return ((folder / PIPELINE_FILE).stat().st_mtime, folder.name)
    except OSError:
        return (0.0, folder.name)
