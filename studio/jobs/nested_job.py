"""A job started by the work of another one, behind walls of its own.

A worker that has the network and the user's keys must not parse a model; it asks for a second
worker, which has neither.
"""

from __future__ import annotations

import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

from studio.api import Cancelled, StudioError
from studio.documents.dataclass_json import to_json
from studio.jobs.outcome import JobOutcome
from studio.jobs.runner import Finish, JobRunner, RunningJob
from studio.jobs.spec import JobSpec, class_path
from studio.jobs.step import Job, Limits
from studio.settings import Paths, Settings
from studio.settings.project_preprocess import ProjectPreprocess

_POLL_S = 0.1


def run_contained(
    title: str,
    entry: str,
    options: object,
    reads: tuple[Path, ...],
    keep: Finish,
    job: Job,
) -> dict[str, Any]:
    """Run work that parses or runs a model, while ``job`` shows its progress.

    Args:
        options: The dataclass that the work takes, or a mapping in JSON form.
        keep: Called with the result and the folder of the work, before that folder is removed.

    Raises:
        StudioError: what the work said.
    """
    paths, preprocess = Paths.of(), ProjectPreprocess.path
    settings = Settings(paths.settings)
    runner = JobRunner(paths, store=paths.registry / "store", sandbox=bool(settings["sandbox"]))
    spec = JobSpec(
        id=uuid.uuid4().hex[:12],
        title=title,
        entry=entry,
        arguments=to_json(options),
        options=class_path(type(options)),
        reads=(*reads, *([preprocess] if preprocess is not None else ())),
        preprocess=preprocess,
        limits=Limits(
            memory_mb=int(settings["worker_memory_mb"]), silence=float(settings["patience_s"])
        ),
    )
    with closing(runner):
        return _result(_followed(runner.start(spec, keep), job))


def _followed(running: RunningJob, job: Job) -> JobOutcome:
    while (outcome := running.wait(_POLL_S)) is None:
        state = running.state
        job.progress(state.done, state.total, state.text)
    return outcome


def _result(outcome: JobOutcome) -> dict[str, Any]:
    if outcome.ok:
        return outcome.document
    if outcome.exit_code == Cancelled.exit_code:
        raise Cancelled
    raise StudioError(outcome.sentence, hint=outcome.hint, detail=outcome.detail)
