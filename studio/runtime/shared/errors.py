"""The expected failures of what runs on a target, each with one sentence for the user."""

from __future__ import annotations


class ReleaseError(Exception):
    """An expected failure on the target.

    Attributes:
        code: Stable, for programs (``no-space``, ``locked``, ``probe-failed`` ...).
        message: One sentence for the user.
        hint: What to do; empty where nothing is known.
        detail: Text for the disclosure behind the sentence (a log's tail).
    """

    def __init__(self, code: str, message: str, hint: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.detail = detail


class LoadError(Exception):
    """A model that cannot be served, in one sentence."""


class CannotListen(Exception):
    """An address that cannot be listened at, or a folder that is served already; one sentence."""
