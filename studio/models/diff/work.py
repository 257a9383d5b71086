"""The work of the step diff, in a worker."""

from __future__ import annotations

from pathlib import Path

from studio.jobs.step import Job
from studio.models.diff.compare import compare
from studio.models.opening import read_model
from studio.models.results import DiffResult
from studio.models.step import DiffOptions


def diff(options: DiffOptions, job: Job) -> DiffResult:
    """Compare the graphs of two models."""
    before = read_model(Path(options.a.path), job)
    after = read_model(Path(options.b.path), job)
    job.progress(3, 4, "Matching the nodes")
    found = compare(before.model.graph, after.model.graph)
    job.progress(4, 4, "Compared")
    return DiffResult(
        added=len(found.inserted),
        removed=len(found.removed),
        changed=found.changed,
        matched=found.matched,
        compute=found.compute,
        folded=found.folded,
        pairs=found.pairs,
        inserted=found.inserted,
        lost=found.removed,
    )
