"""Results of the steps that fill in the form of a model."""

from __future__ import annotations

from studio.documents.dataclass_json import optional
from studio.lazy_dataclass import dataclass
from studio.projects.answers import FormAnswer, PersonRequest


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A question that a person has to answer.

    Attributes:
        kind: Of the answer: ``text``, ``choice`` or ``date``.
        sections: Sections of frameworks that want the answer, as ``framework:section``.
    """

    id: str
    title: str
    question: str
    who: str
    kind: str
    choices: tuple[str, ...]
    sections: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """The result of ``evidence-answer``.

    Attributes:
        earlier: Number of earlier answers to the question, which stay in the form.
        open: Number of questions of the form that are still open.
    """

    model: str
    title: str
    answer: FormAnswer
    earlier: int
    open: int = optional(0)


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """The result of ``evidence-request``."""

    model: str
    title: str
    request: PersonRequest
