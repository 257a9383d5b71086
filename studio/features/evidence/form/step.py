"""The steps that fill in the form of a model."""

from __future__ import annotations

from studio.api import Kind
from studio.features.evidence.form.results import RecordedAnswer, RecordedRequest
from studio.features.evidence.frameworks.screening_results import Screening
from studio.jobs import Step, Use
from studio.jobs.options_form import option
from studio.lazy_dataclass import dataclass
from studio.registry import ModelRef


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerOptions:
    """Options of the step ``evidence-answer``."""

    model: ModelRef = option(kind=Kind.MODEL, positional=True, help="The model.")
    subject: str = option(
        positional=True, help="Question to answer, such as intended.use (studio evidence ask)."
    )
    text: str = option(help="The answer. Earlier answers stay in the form.")
    by: str = option(title="Answered by", help="Who answers.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestOptions:
    """Options of the step ``evidence-request``."""

    model: ModelRef = option(kind=Kind.MODEL, positional=True, help="The model.")
    subject: str = option(positional=True, help="Question, such as intended.use.")
    of: str = option(title="Person", help="Who is to answer.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenOptions:
    """Options of the step ``evidence-screen``."""

    model: ModelRef = option(kind=Kind.MODEL, positional=True, help="The model.")
    answer: tuple[str, ...] | None = option(
        None,
        title="Answers",
        help="Question and yes, no or unsure, such as employment=no; may be repeated.",
    )
    by: str | None = option(None, title="Answered by", help="Who answers.")


EVIDENCE_ANSWER: Step[AnswerOptions, RecordedAnswer] = Step(
    name="evidence-answer",
    title="Answer a question about",
    summary="Answer a question of the evidence form, with author and time.",
    options=AnswerOptions,
    result=RecordedAnswer,
    record="studio.features.evidence.form.record:answer",
    texts="studio.features.evidence.form.texts:answer",
    use=Use.READ,
)

EVIDENCE_REQUEST: Step[RequestOptions, RecordedRequest] = Step(
    name="evidence-request",
    title="Request an answer about",
    summary="Record who is to answer a question of the evidence form, with the time.",
    options=RequestOptions,
    result=RecordedRequest,
    record="studio.features.evidence.form.record:request",
    texts="studio.features.evidence.form.texts:request",
    use=Use.READ,
)

EVIDENCE_SCREEN: Step[ScreenOptions, Screening] = Step(
    name="evidence-screen",
    title="Screen the use of",
    summary="Place the intended use: prohibited, high-risk, transparency, minimal or for counsel.",
    options=ScreenOptions,
    result=Screening,
    record="studio.features.evidence.form.record:screen",
    texts="studio.features.evidence.form.texts:screening",
    use=Use.READ,
)
