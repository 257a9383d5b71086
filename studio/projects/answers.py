"""What persons have answered about a model, and who is to answer."""

from __future__ import annotations

from collections.abc import Mapping

from studio.lazy_dataclass import dataclass

SCREEN = "screen."
"""Prefix of the ids of screening questions in a form."""


@dataclass(frozen=True, slots=True)
class FormAnswer:
    """One answer, which stays in the form also when a later one replaces it.

    Attributes:
        question: Id of a subject of evidence, or ``screen.`` and the id of a screening question.
        text: The answer.
        by: Who answered.
        at: Time in UTC.
    """

    question: str
    text: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class PersonRequest:
    """A request to a person for the answer to a question.

    Attributes:
        question: Id of a subject of evidence.
        of: The person.
        at: Time in UTC.
    """

    question: str
    of: str
    at: str


@dataclass(frozen=True, slots=True)
class EvidenceForm:
    """All answers about a model and requests for them, the oldest first."""

    answers: tuple[FormAnswer, ...] = ()
    requests: tuple[PersonRequest, ...] = ()

    def pending(self) -> Mapping[str, PersonRequest]:
        """Return the newest request for each question that has no answer."""
        answered = self.latest()
        return {one.question: one for one in self.requests if one.question not in answered}

    def latest(self) -> Mapping[str, FormAnswer]:
        """Return the answer that counts, by question."""
        return {one.question: one for one in self.answers}

    def history(self, question: str) -> tuple[FormAnswer, ...]:
        """Return all answers to a question, the oldest first."""
        return tuple(one for one in self.answers if one.question == question)

    def screening(self) -> Mapping[str, str]:
        """Return the answers to the screening questions, by their ids."""
        return {
            name.removeprefix(SCREEN): one.text
            for name, one in self.latest().items()
            if name.startswith(SCREEN)
        }
