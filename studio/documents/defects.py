"""Sentences about unexpected exceptions: their text, never the name of their class."""

from __future__ import annotations

from studio.api import StudioError
from studio.documents.plain import shortened
from studio.runtime.backends.failure import first_line

DEFECT = "This is a defect of Edgewright. Report it with the details, which --debug prints."


def reason(error: BaseException) -> str:
    """Return the text of an exception, as the end of a sentence."""
    return shortened(first_line(error))


def unforeseen(error: BaseException, what: str = "") -> str:
    """Return the sentence about an exception.

    Args:
        what: That failed, such as the title of a job; empty where it is known anyway.
    """
    return f"{what} failed: {reason(error)}" if what else f"Unexpected error: {reason(error)}"


def parts(error: BaseException) -> tuple[str, str, str]:
    """Return the sentence, the hint and the detail of an error, expected or not."""
    if isinstance(error, StudioError):
        return error.message, error.hint, error.detail
    return unforeseen(error), DEFECT, repr(error)
