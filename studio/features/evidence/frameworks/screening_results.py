"""Results of the screening of an intended use."""

from __future__ import annotations

from studio.documents.dataclass_json import optional
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ScreeningReason:
    """A question that was answered with yes or unsure.

    Attributes:
        group: ``prohibited``, ``high-risk``, ``exception``, ``transparency`` or ``counsel``.
        cites: Sections of frameworks, as ``framework:section``.
    """

    question: str
    group: str
    answer: str
    text: str
    cites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Screening:
    """The place of an intended use, never legal advice.

    Attributes:
        outcome: ``prohibited``, ``high-risk``, ``transparency``, ``minimal``, ``ask counsel``, or
            ``asked`` while a question that decides is open.
        counsel: Whether a lawyer has to look at it, whatever the outcome is.
        open: Ids of the open questions that decide the outcome.
        answered: How many of the ``questions`` have an answer.
        as_of: Day of the questionnaire's data.
        model: Name of the model; empty where no form was used.
    """

    outcome: str
    counsel: bool
    reasons: tuple[ScreeningReason, ...]
    open: tuple[str, ...]
    answered: int
    questions: int
    as_of: str
    note: str
    model: str = optional("")
