"""Work in processes of its own: progress, cancel, limits, sandbox, outcome."""

from studio.jobs.nested_job import run_contained
from studio.jobs.outcome import End, JobOutcome
from studio.jobs.runner import JobListener, JobProgress, JobRunner, RunningJob
from studio.jobs.sandbox import Containment, Sandbox, SandboxLevel, contained, containment
from studio.jobs.server import Server
from studio.jobs.spec import JobSpec
from studio.jobs.step import AnyStep, Arguments, Effect, Job, Limits, Result, Step, Use

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
