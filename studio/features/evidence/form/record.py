"""The records of the steps that fill in a form."""

from __future__ import annotations

from pathlib import Path

from studio.api import UsageError
from studio.features.evidence.form.forms import EvidenceForms, answers_of
from studio.features.evidence.form.results import RecordedAnswer, RecordedRequest
from studio.features.evidence.form.step import AnswerOptions, RequestOptions, ScreenOptions
from studio.features.evidence.frameworks.screening_results import Screening
from studio.registry import Registry


def answer(registry: Registry, options: AnswerOptions, folder: Path) -> RecordedAnswer:
    """Add the answer to the form of the model.

    Raises:
        UsageError: when question or answer are not valid.
    """
    model = registry.variant(options.model.variant).model_name
    return EvidenceForms(registry).answer(model, options.subject, options.text, options.by)


def request(registry: Registry, options: RequestOptions, folder: Path) -> RecordedRequest:
    """Add the request to the form of the model.

    Raises:
        UsageError: when question or name are not valid.
    """
    model = registry.variant(options.model.variant).model_name
    return EvidenceForms(registry).request(model, options.subject, options.of)


def screen(registry: Registry, options: ScreenOptions, folder: Path) -> Screening:
    """Add the answers to the form of the model, and return its screening.

    Raises:
        UsageError: when a question or an answer is not valid, or its author is missing.
    """
    model = registry.variant(options.model.variant).model_name
    answers = answers_of(options.answer or ())
    if answers and not options.by:
        raise UsageError("Name who answers.", hint="Add --by NAME.")
    return EvidenceForms(registry).screen(model, answers, options.by or "")
