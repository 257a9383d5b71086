"""Errors of a bench and of its candidates."""

from __future__ import annotations


class ConfigError(Exception):
    """A configuration that cannot be understood, in one sentence."""


class BenchError(Exception):
    """Reason why nothing can be measured, in one sentence."""


class Cancelled(Exception):
    """Cancellation: standard input was closed, or the reader of the events has left."""


class CandidateError(Exception):
    """Failure of a candidate, which ends its part of the study.

    Attributes:
        state: ``cannot load``, ``cannot run``, ``wrong output``, ``timed out`` or ``crashed``.
        reason: One sentence.
    """

    def __init__(self, state: str, reason: str) -> None:
        super().__init__(reason)
        self.state = state
        self.reason = reason
