"""The place of an intended use: prohibited, high-risk, transparency, minimal, or for counsel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from studio.features.evidence.frameworks.questionnaire import (
    COUNSEL,
    EXCEPTION,
    HIGH_RISK,
    NO,
    PROHIBITED,
    TRANSPARENCY,
    UNSURE,
    YES,
    Questionnaire,
    ScreeningQuestion,
)
from studio.features.evidence.frameworks.screening_results import Screening, ScreeningReason
from studio.features.evidence.frameworks.subjects import ASKED

MINIMAL, ASK_COUNSEL = "minimal", "ask counsel"
OUTCOMES = (PROHIBITED, HIGH_RISK, TRANSPARENCY, MINIMAL, ASK_COUNSEL, ASKED)
"""``asked`` while a question that decides has no answer."""


def screen(questions: Questionnaire, answers: Mapping[str, str]) -> Screening:
    """Place an intended use by the answers to the questionnaire.

    A prohibited practice decides at once, and is a case for counsel. An unsure answer to a
    question that decides is one, too. So is a claimed exception from the high-risk uses. While
    a question that decides is open, so is the outcome.

    Args:
        answers: ``yes``, ``no`` or ``unsure`` by question; some may be missing.

    Raises:
        UsageError: for an unknown question, or a word that is no answer.
    """
    questions.check(answers)
    outcome, open_questions = _outcome(_Groups(questions, answers))
    reasons = _reasons(questions, answers)
    return Screening(
        outcome=outcome,
        counsel=outcome in (PROHIBITED, ASK_COUNSEL)
        or any(one.group == COUNSEL for one in reasons),
        reasons=reasons,
        open=tuple(one.id for one in open_questions),
        answered=sum(one.id in answers for one in questions.questions),
        questions=len(questions.questions),
        as_of=questions.as_of,
        note=questions.note,
    )


class _Groups:
    """The answers to the questions of each group."""

    def __init__(self, questions: Questionnaire, answers: Mapping[str, str]) -> None:
        self._questions, self._answers = questions, answers

    def of(self, group: str) -> tuple[ScreeningQuestion, ...]:
        """Return the questions of a group."""
        return self._questions.of(group)

    def answer(self, one: ScreeningQuestion) -> str:
        """Return the answer to a question, empty while it is open."""
        return self._answers.get(one.id, "")

    def with_answer(self, group: str, word: str) -> tuple[ScreeningQuestion, ...]:
        """Return the questions of a group that have this answer."""
        return tuple(one for one in self.of(group) if self.answer(one) == word)


_Outcome = tuple[str, tuple[ScreeningQuestion, ...]]
"""The outcome, with the open questions that decide it."""


def _outcome(groups: _Groups) -> _Outcome:
    if groups.with_answer(PROHIBITED, YES):
        return PROHIBITED, ()
    if groups.with_answer(PROHIBITED, UNSURE):
        return ASK_COUNSEL, ()
    open_first = groups.with_answer(PROHIBITED, "")
    outcome, open_next = _high_risk(groups)
    if open_first:
        return ASKED, (*open_first, *open_next)
    return outcome, open_next


def _high_risk(groups: _Groups) -> _Outcome:
    routes: dict[str, list[ScreeningQuestion]] = {}
    for one in groups.of(HIGH_RISK):
        routes.setdefault(one.together, []).append(one)
    words = {name: _route(groups, route) for name, route in routes.items()}
    met = [one for name, route in routes.items() if words[name] == YES for one in route]
    if any(not one.exception for one in met):
        return HIGH_RISK, ()
    if met:
        return _exception(groups)
    if UNSURE in words.values():
        return ASK_COUNSEL, ()
    open_routes = [route for name, route in routes.items() if not words[name]]
    outcome, open_next = _transparency(groups)
    if open_routes:
        missing = [one for route in open_routes for one in route if not groups.answer(one)]
        return ASKED, (*missing, *open_next)
    return outcome, open_next


def _route(groups: _Groups, route: Sequence[ScreeningQuestion]) -> str:
    """Return the common answer to questions that count together."""
    words = [groups.answer(one) for one in route]
    if NO in words:
        return NO
    if "" in words:
        return ""
    return UNSURE if UNSURE in words else YES


def _exception(groups: _Groups) -> _Outcome:
    """Decide a high-risk use for which an exception may be claimed."""
    keeping = [one for one in groups.of(EXCEPTION) if one.keeps]
    claims = [one for one in groups.of(EXCEPTION) if not one.keeps]
    if any(groups.answer(one) == YES for one in keeping):
        return HIGH_RISK, ()
    words = [groups.answer(one) for one in (*keeping, *claims)]
    if UNSURE in words:
        return ASK_COUNSEL, ()
    if "" in words:
        return ASKED, groups.with_answer(EXCEPTION, "")
    return (ASK_COUNSEL if YES in words else HIGH_RISK), ()


def _transparency(groups: _Groups) -> _Outcome:
    if groups.with_answer(TRANSPARENCY, UNSURE):
        return ASK_COUNSEL, ()
    if groups.with_answer(TRANSPARENCY, YES):
        return TRANSPARENCY, ()
    missing = groups.with_answer(TRANSPARENCY, "")
    return (ASKED, missing) if missing else (MINIMAL, ())


def _reasons(questions: Questionnaire, answers: Mapping[str, str]) -> tuple[ScreeningReason, ...]:
    """Return the questions that were answered with yes or unsure, with the sections they cite."""
    counted: Iterable[ScreeningQuestion] = (
        one for one in questions.questions if answers.get(one.id) in (YES, UNSURE)
    )
    return tuple(
        ScreeningReason(one.id, one.group, answers[one.id], one.text, one.cites) for one in counted
    )
