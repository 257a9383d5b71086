"""Messages of jobs in the words of the window: titles of options in place of flags."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from studio.api import Option

if TYPE_CHECKING:
    from studio.workspace import JobOutcome

_FLAG = re.compile(r"--[a-z0-9][a-z0-9-]*")
_COMMAND = re.compile(r"\bstudio [a-z]")


def in_window(text: str, options: Sequence[Option]) -> str:
    """Return a text with the title of each option whose flag it names.

    A text with a whole command stays as it is: it is meant for a terminal.
    """
    if _COMMAND.search(text):
        return text
    titles = {option.flag: option.label for option in options}
    return _FLAG.sub(
        lambda found: f"“{titles[found[0]]}”" if found[0] in titles else found[0], text
    )


def outcome_in_window(outcome: JobOutcome, options: Sequence[Option]) -> JobOutcome:
    """Return an outcome whose sentence and hint are in the words of the window."""
    if outcome.ok:
        return outcome
    message, hint = (in_window(text, options) for text in (outcome.message, outcome.hint))
    return replace(outcome, message=message, hint=hint)
