"""The packaging of a model that is deployed without a bundle, in a worker behind its own walls."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path
from typing import Any

from studio.api import Cancelled, StudioError
from studio.jobs import Arguments, Job, JobOutcome, JobRunner, JobSpec, Limits, RunningJob
from studio.settings import Paths, Settings

_POLL_S = 0.1
_OPTIONS = ("model", "data", "labels", "preprocess", "number", "known", "samples", "tolerance")


def package_contained(arguments: Arguments, job: Job) -> dict[str, Any]:
    """Make a bundle below ``job.folder`` without running the model in this process.

    A worker that deploys has the network and the user's keys, so it must not parse a model.

    Raises:
        StudioError: what the packaging said.
    """
    paths = Paths.of()
    runner = JobRunner(paths, store=paths.registry / "store")
    files = [arguments["model"]["path"], *(arguments.get(name) for name in _OPTIONS[1:4])]
    spec = JobSpec(
        id=uuid.uuid4().hex[:12],
        title="Package",
        entry="studio.packages.work:package",
        arguments={name: arguments.get(name) for name in _OPTIONS},
        reads=tuple(Path(file) for file in files if file),
        limits=Limits(silence=float(Settings(paths.settings)["patience_s"])),
    )

    def keep(result: dict[str, Any], folder: Path) -> dict[str, Any]:
        if result["new"]:
            shutil.move(result["bundle"], job.folder / "bundle")
            result["bundle"] = str(job.folder / "bundle")
        return result

    try:
        return _result(_followed(runner.start(spec, keep), job))
    finally:
        runner.close()


def _followed(running: RunningJob, job: Job) -> JobOutcome:
    while (outcome := running.wait(_POLL_S)) is None:
        state = running.state
        job.progress(state.done, state.total, state.text)
    return outcome


def _result(outcome: JobOutcome) -> dict[str, Any]:
    if outcome.ok:
        return dict(outcome.result)
    if outcome.exit_code == Cancelled.exit_code:
        raise Cancelled
    raise StudioError(outcome.sentence, hint=outcome.hint, detail=outcome.detail)
