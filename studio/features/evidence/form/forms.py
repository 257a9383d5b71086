"""The forms of a registry's models: what is answered, what is open, and the screening."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from studio.api import UsageError
from studio.features.evidence.form.results import OpenQuestion, RecordedAnswer, RecordedRequest
from studio.features.evidence.frameworks.catalogue import shipped
from studio.features.evidence.frameworks.questionnaire import questionnaire
from studio.features.evidence.frameworks.results import Framework
from studio.features.evidence.frameworks.screening_results import Screening
from studio.features.evidence.frameworks.subjects import (
    ASKED,
    CHOICE,
    DATE,
    FORM,
    PRESENT,
    EvidenceSubject,
    subject,
    subjects,
)
from studio.features.evidence.frameworks.use_screening import screen
from studio.projects.answers import SCREEN, EvidenceForm, FormAnswer, PersonRequest
from studio.projects.answers_file import add_answers, add_request, answers_path, read_form
from studio.registry import Registry
from studio.registry.activity import now


class EvidenceForms:
    """The forms of a registry's models, each in a file next to the model's project."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def file(self, model: str) -> Path:
        """Return the file of a model's form, which may not exist."""
        return answers_path(self._registry, model)

    def of(self, model: str) -> EvidenceForm:
        """Return the form of a model; an empty one before the first answer.

        Raises:
            StudioError: when its file is damaged.
        """
        return read_form(self.file(model))

    def states(self, model: str) -> Mapping[str, str]:
        """Return the state of each subject that a person answers: ``present`` or ``asked``."""
        answered = self.of(model).latest()
        return {one.id: PRESENT if one.id in answered else ASKED for one in _questions()}

    def open_questions(
        self, model: str | None, known: Sequence[Framework] | None = None
    ) -> tuple[OpenQuestion, ...]:
        """Return the questions without an answer.

        Args:
            model: Its name; None for all questions.
            known: Frameworks whose sections are named; by default the shipped ones.
        """
        answered = self.of(model).latest() if model is not None else {}
        frameworks = shipped() if known is None else known
        return tuple(_open(one, frameworks) for one in _questions() if one.id not in answered)

    def answer(self, model: str, name: str, text: str, by: str) -> RecordedAnswer:
        """Add an answer to a question of the form.

        Raises:
            UsageError: when the question is unknown or answered by records, or the answer does
                not fit its kind.
        """
        wanted = subject(name)
        _check_kind(wanted, text)
        answer = FormAnswer(wanted.id, text, by, now())
        form = add_answers(self.file(model), [answer])
        answered = form.latest()
        remaining = sum(one.id not in answered for one in _questions())
        earlier = len(form.history(wanted.id)) - 1
        return RecordedAnswer(model, wanted.title, answer, earlier, remaining)

    def request(self, model: str, name: str, of: str) -> RecordedRequest:
        """Record that a person is to answer a question of the form.

        Raises:
            UsageError: when the question is unknown or answered by records, or the name is not
                valid.
        """
        wanted = subject(name)
        _check_source(wanted)
        request = PersonRequest(wanted.id, of, now())
        add_request(self.file(model), request)
        return RecordedRequest(model, wanted.title, request)

    def screen(self, model: str, answers: Mapping[str, str], by: str) -> Screening:
        """Add answers to screening questions, and return the screening.

        Args:
            answers: ``yes``, ``no`` or ``unsure`` by question; none to only read the screening.

        Raises:
            UsageError: for an unknown question, or a word that is no answer.
        """
        questions, form = questionnaire(), self.of(model)
        questions.check(answers)
        if answers:
            at = now()
            added = [FormAnswer(SCREEN + name, word, by, at) for name, word in answers.items()]
            form = add_answers(self.file(model), added)
        known = {one.id for one in questions.questions}
        kept = {name: word for name, word in form.screening().items() if name in known}
        return replace(screen(questions, kept), model=model)


def answers_of(pairs: Iterable[str]) -> dict[str, str]:
    """Return the answers of words such as ``employment=no``.

    Raises:
        UsageError: when a word is no such pair, or a question stands twice.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        name, sign, word = pair.partition("=")
        if not sign or not name:
            hint = "Write a question and its answer, such as employment=no."
            raise UsageError(f"{pair[:80]!r} is no answer.", hint=hint)
        if name in found:
            raise UsageError(f"The question {name[:80]!r} is answered twice.")
        found[name] = word
    return found


def _questions() -> tuple[EvidenceSubject, ...]:
    return tuple(one for one in subjects().values() if one.source == FORM)


def _open(one: EvidenceSubject, known: Sequence[Framework]) -> OpenQuestion:
    wanted_by = tuple(
        f"{framework.id}:{section.id}"
        for framework in known
        for section in framework.sections
        if one.id in section.subjects
    )
    return OpenQuestion(one.id, one.title, one.question, one.who, one.kind, one.choices, wanted_by)


def _check_source(wanted: EvidenceSubject) -> None:
    if wanted.source != FORM:
        raise UsageError(
            f"{wanted.id} is answered by records, not by a person.", hint=wanted.record
        )


def _check_kind(wanted: EvidenceSubject, text: str) -> None:
    _check_source(wanted)
    if wanted.kind == CHOICE and text not in wanted.choices:
        hint = f"Choose one of: {', '.join(wanted.choices)}."
        raise UsageError(f"{text[:80]!r} is no choice for {wanted.id}.", hint=hint)
    if wanted.kind == DATE and not _is_day(text):
        raise UsageError(f"{text[:80]!r} is no day.", hint="Write a day such as 2026-11-30.")


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
