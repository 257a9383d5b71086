"""Ends of jobs."""

from __future__ import annotations

from studio.jobs import End, JobOutcome


def succeeded(result: object) -> JobOutcome:
    """A job that succeeded with a result."""
    return JobOutcome(End.SUCCEEDED, result=result)


def failed(message: str) -> JobOutcome:
    """A job that failed with a sentence."""
    return JobOutcome(End.FAILED, message=message)
