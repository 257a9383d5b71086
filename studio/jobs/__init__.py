"""Work in processes of its own: progress, cancel, limits, sandbox, outcome.

What the parent alone needs is imported when it is first used: each worker imports this package
before its work begins, and would pay for the runner and the sandbox every time.
"""

from typing import TYPE_CHECKING

from studio.jobs.step import AnyStep, Arguments, Effect, Job, Limits, Result, Step, Use
from studio.lazy_names import lazy_names

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

__getattr__ = lazy_names(__name__, _MODULES)
