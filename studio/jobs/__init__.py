"""Work in processes of its own: progress, cancel, limits, sandbox, outcome.

What the parent alone needs is imported when it is first used: each worker imports this package
before its work begins, and would pay for the runner and the sandbox every time.
"""

from typing import TYPE_CHECKING, Any

from studio.jobs.object_names import load
from studio.jobs.step import AnyStep, Arguments, Effect, Job, Limits, Result, Step, Use

if TYPE_CHECKING:
    from studio.jobs.nested_job import run_contained
    from studio.jobs.outcome import End, JobOutcome
    from studio.jobs.runner import JobListener, JobProgress, JobRunner, RunningJob
    from studio.jobs.sandbox import Containment, Sandbox, SandboxLevel, contained, containment
    from studio.jobs.server import Server
    from studio.jobs.spec import JobSpec

_MODULES = {
    "Containment": "sandbox",
    "End": "outcome",
    "JobListener": "runner",
    "JobOutcome": "outcome",
    "JobProgress": "runner",
    "JobRunner": "runner",
    "JobSpec": "spec",
    "RunningJob": "runner",
    "Sandbox": "sandbox",
    "SandboxLevel": "sandbox",
    "Server": "server",
    "contained": "sandbox",
    "containment": "sandbox",
    "run_contained": "nested_job",
}
"""Modules of the names that are imported at their first use."""


def __getattr__(name: str) -> Any:
    """Import a name on demand; Python calls this once for each name."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = load(f"{__name__}.{_MODULES[name]}:{name}")
    return globals()[name]


__all__ = [
    "AnyStep",
    "Arguments",
    "Containment",
    "Effect",
    "End",
    "Job",
    "JobListener",
    "JobOutcome",
    "JobProgress",
    "JobRunner",
    "JobSpec",
    "Limits",
    "Result",
    "RunningJob",
    "Sandbox",
    "SandboxLevel",
    "Server",
    "Step",
    "Use",
    "contained",
    "containment",
    "run_contained",
]
