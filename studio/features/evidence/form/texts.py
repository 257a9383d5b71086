"""Lines of the command line about forms and screenings."""

from __future__ import annotations

from collections.abc import Sequence

from studio.documents.text_table import counted, table
from studio.features.evidence.form.results import OpenQuestion, RecordedAnswer, RecordedRequest
from studio.features.evidence.frameworks.questionnaire import questionnaire
from studio.features.evidence.frameworks.screening_results import Screening, ScreeningReason
from studio.features.evidence.frameworks.texts import LEGEND, citation
from studio.projects.answers import EvidenceForm

OUTCOMES = {
    "prohibited": "Possibly a prohibited practice: ask counsel",
    "high-risk": "High-risk use",
    "transparency": "Use with transparency duties",
    "minimal": "Minimal-risk use",
    "ask counsel": "Ask counsel",
    "asked": "Open: more answers are needed",
}
_HOW = 'Answer one with: studio evidence answer MODEL ID --text "..." --by NAME'
_COUNSEL = "Ask counsel about the answers below, whatever the outcome."


def answer(result: RecordedAnswer) -> list[str]:
    """Return what was added to the form, and how many questions are open."""
    replaced = f", replaces {counted(result.earlier, 'answer')}" if result.earlier else ""
    return [
        f"{result.model}: {result.title}, answered by {result.answer.by}{replaced}.",
        f"{counted(result.open, 'question')} open.",
    ]


def request(result: RecordedRequest) -> list[str]:
    """Return who is to answer which question."""
    return [f"{result.model}: {result.title} is requested from {result.request.of}."]


def screening(result: Screening) -> list[str]:
    """Return the outcome with its reasons, then the open questions."""
    lines = [f"{result.model}: {OUTCOMES[result.outcome]}."]
    if result.counsel and result.outcome not in ("prohibited", "ask counsel"):
        lines.append(_COUNSEL)
    reasons = [_reason(one) for one in result.reasons]
    lines += [*reasons, *([LEGEND] if any(map(_has_mark, reasons)) else [])]
    if result.open:
        texts = {one.id: one.text for one in questionnaire().questions}
        rows = [(name, texts.get(name, "")) for name in result.open]
        lines += ["", *table(("open", "question"), rows)]
    answered = f"{result.answered} of {result.questions} questions answered."
    return [*lines, "", f"{answered} Data of {result.as_of}. {result.note}"]


def questions(found: Sequence[OpenQuestion]) -> list[str]:
    """Return a line for each open question, and how to answer one."""
    if not found:
        return ["All questions are answered."]
    lines = [f"{one.id} ({one.who}): {_question(one)}" for one in found]
    return [*lines, "", f"{counted(len(found), 'question')} open. {_HOW}"]


def answers(model: str, form: EvidenceForm, *, history: bool) -> list[str]:
    """Return a row for each answer.

    Args:
        history: Also those that later ones have replaced.
    """
    found = form.answers if history else tuple(form.latest().values())
    if not found:
        return [f"{model}: no answers yet. List the questions with: studio evidence ask"]
    rows = [(one.question, one.text, one.by, one.at) for one in found]
    return table(("question", "answer", "by", "at"), rows)


def _question(one: OpenQuestion) -> str:
    return f"{one.question} ({' / '.join(one.choices)})" if one.choices else one.question


def _has_mark(line: str) -> bool:
    return LEGEND.split()[0] in line


def _reason(one: ScreeningReason) -> str:
    cited = "; ".join(citation(name) for name in one.cites)
    return f"{one.question} = {one.answer}: {one.text} [{cited}]"
