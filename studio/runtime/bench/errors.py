"""What can go wrong with a bench, and with one of its candidates."""

from __future__ import annotations


class ConfigError(Exception):
    """A configuration that cannot be understood, in one sentence."""


class BenchError(Exception):
    """Nothing can be measured, in one sentence."""


class Cancelled(Exception):
    """Standard input was closed, or nobody reads the events any more."""


class CandidateError(Exception):
    """A candidate that cannot go on.

    Attributes:
        state: ``cannot load``, ``cannot run``, ``wrong output``, ``timed out`` or ``crashed``.
        reason: One sentence.
    """

    def __init__(self, state: str, reason: str) -> None:
        super().__init__(reason)
        self.state = state
        self.reason = reason
