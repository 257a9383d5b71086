"""The work of the step ``evaluate`` for language models, in a worker."""

from __future__ import annotations

import time
from dataclasses import fields

from studio.evaluation.language.results import LanguageScore
from studio.evaluation.language.work import LanguageQuestions, evaluate_language
from studio.evaluation.results import EvaluationResult, MetricValue, RuntimeVersion
from studio.jobs import Job
from studio.quantization.step import EvaluateOptions


def evaluate_language_model(options: EvaluateOptions, job: Job) -> EvaluationResult:
    """Score a language model on texts and tasks.

    Raises:
        UsageError, InvalidData, Unavailable, StudioError: see ``evaluate_language``.
    """
    begin = time.monotonic()
    questions = LanguageQuestions(
        **{one.name: getattr(options, one.name) for one in fields(LanguageQuestions)}
    )
    score = evaluate_language(questions, job)
    metric, samples = headline(score)
    return EvaluationResult(
        model=score.runtime.model,
        metric=metric,
        samples=samples,
        backend=RuntimeVersion(score.runtime.backend, score.runtime.version),
        target=None,
        seconds=round(time.monotonic() - begin, 3),
        language=score,
    )


def headline(score: LanguageScore) -> tuple[MetricValue, int]:
    """Return the figure that gates read, and the number of samples behind it.

    It is the divergence where texts and a reference are there, else the perplexity, else the share
    of correct tasks by each set's first filter.
    """
    text = score.text
    if text is not None and text.divergence is not None:
        return MetricValue("kl", "Mean KL divergence", text.divergence.kl.value), text.scored
    if text is not None:
        value = text.likelihood.perplexity.value
        return MetricValue("perplexity", "Perplexity", value), text.scored
    firsts = [one.scores[0] for one in score.tasks if one.scores]
    items = sum(one.items for one in firsts)
    if items:
        correct = sum(one.correct for one in firsts)
        return MetricValue("correct", "Correct tasks", correct / items), items
    answers = len(score.answers)
    refused = score.behaviour.refusals.value if score.behaviour else 0.0
    return MetricValue("answered", "Answers without refusal", 1 - refused), answers
