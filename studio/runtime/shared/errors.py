"""The expected failures of what runs on a target, each with one sentence for the user."""

from __future__ import annotations

import errno
import re

_NO_MEMORY = re.compile(
    r"failed to map segment from shared object(?!: Operation not permitted)|cannot allocate memory"
    r"|memory allocation still failed|std::bad_alloc|\bMemoryError\b|out of memory",
    re.IGNORECASE,
)
"""Messages of the loader of shared libraries, C++, OpenBLAS and Python for a lack of memory."""


def reports_no_memory(text: str) -> bool:
    """Return whether the output of a program reports a lack of memory."""
    return _NO_MEMORY.search(text) is not None


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an exception comes from a lack of memory, as imports of libraries may."""
    cause = error.__cause__ or error.__context__
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return True
    if isinstance(error, ImportError) and reports_no_memory(str(error)):
        return True
    return cause is not None and is_out_of_memory(cause)


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


def no_memory() -> ReleaseError:
    """Return the failure of a step for lack of memory."""
    return ReleaseError(
        "no-memory",
        "This target has too little free memory for the step.",
        "Stop other programs on the target, or deploy a smaller model. Then deploy again.",
    )


class LoadError(Exception):
    """A model that cannot be served, in one sentence."""


class CannotListen(Exception):
    """An address that cannot be listened at, or a folder that is served already; one sentence."""
