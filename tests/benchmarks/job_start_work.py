"""The work of the bench of job starts, in a module of its own, as each step's work is."""

from __future__ import annotations

from studio.jobs import Arguments, Job, Result


def speak(arguments: Arguments, job: Job) -> Result:
    """A work that says that it has begun."""
    job.event("begun")
    return {}
