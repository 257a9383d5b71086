"""The answer to one question that is asked before anything is changed on a target."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One question that was answered before anything is changed.

    Attributes:
        hint: What to do when the answer is no.
        safety: Whether a no is a refusal rather than an inability.
        warning: Whether it may be gone ahead nevertheless.
    """

    name: str
    ok: bool
    text: str
    hint: str = ""
    safety: bool = False
    warning: bool = False
