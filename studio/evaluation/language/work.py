"""The evaluation of a language model: questions to a process, figures of its replies."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from studio.api import UsageError
from studio.evaluation.language.behaviour import behaviour
from studio.evaluation.language.corpus import Corpus
from studio.evaluation.language.process import (
    ScoredAnswer,
    ScoredFacts,
    ScoredText,
    ScoreReply,
    located,
    score,
)
from studio.evaluation.language.results import (
    AnswerPair,
    AnswerSplit,
    LanguageRuntime,
    LanguageScore,
)
from studio.evaluation.language.statistics import proportion
from studio.evaluation.language.task_score import prompts_of, shown_prompt, task_set_score
from studio.evaluation.language.task_sets import TaskSet, find, read_set, shipped
from studio.evaluation.language.text_score import read_positions, text_score, token_probabilities
from studio.jobs import Job
from studio.lazy_dataclass import dataclass
from studio.plugin_host import PluginHost
from studio.registry import ModelRef
from studio.runtime.generate.catalog import TEXT_BACKENDS
from studio.runtime.generate.score.request import ScoredModel, ScoreRequest, TextDocument

_CONTEXT = 2048
_DAY = datetime.date(2026, 1, 1)
"""Date for templates that write one: always the same, so that results are."""


@dataclass(frozen=True, slots=True)
class LanguageQuestions:
    """Texts and tasks for a language model, with settings.

    Attributes:
        context: Tokens of context that all of the models have.
        data: Texts; None for no likelihood.
        tasks: Names of task sets that come with the studio.
        task_files: Files of other task sets.
        window: Tokens of a window of the texts.
        tokens: Most scored tokens.
        temperature, seed: Of the answers; a temperature of 0 takes the most probable tokens.
    """

    model: ModelRef
    reference: ModelRef | None
    context: int
    data: Path | None = None
    tasks: tuple[str, ...] = ()
    task_files: tuple[Path, ...] = ()
    window: int = 512
    tokens: int = 4096
    temperature: float = 0.0
    seed: int = 0


def evaluate_language(questions: LanguageQuestions, job: Job) -> LanguageScore:
    """Score a language model; without texts and tasks, by all task sets of the studio.

    Raises:
        UsageError, InvalidData: for texts and task sets that cannot be used.
        Unavailable: when the environment of a backend is not installed.
        StudioError: when a model fails.
    """
    host = PluginHost.discover()
    corpus = Corpus.read(questions.data) if questions.data else None
    sets = _task_sets(questions)
    reference = questions.reference
    model = located(questions.model, host)
    other = located(reference, host) if reference else None
    positions = job.folder / "positions.npz"
    reply = score(_request(questions, (model, other), corpus, sets, positions), job.folder, job)
    replies = _split(reply.answers, sets)
    runtimes = [_runtime(questions.model, model, reply.model)]
    if reference and other and reply.reference:
        runtimes.append(_runtime(reference, other, reply.reference))
    scored = reply.texts
    whole = LanguageScore(
        runtime=runtimes[0],
        reference=runtimes[1] if len(runtimes) > 1 else None,
        text=text_score(read_positions(positions), scored, corpus) if corpus and scored else None,
        tasks=tuple(map(task_set_score, sets, replies)),
        notes=reply.notes,
    )
    return _with_answers(whole, reply, sets, replies)


def _task_sets(questions: LanguageQuestions) -> list[TaskSet]:
    names = questions.tasks
    if not names and not questions.task_files and questions.data is None:
        names = shipped()
    sets = [read_set(find(one)) for one in names] + list(map(read_set, questions.task_files))
    known = [one.head.name for one in sets]
    for name in known:
        if known.count(name) > 1:
            raise UsageError(f"Two task sets have the name {name!r}.")
    return sets


def _request(
    questions: LanguageQuestions,
    models: tuple[ScoredModel, ScoredModel | None],
    corpus: Corpus | None,
    sets: Sequence[TaskSet],
    positions: Path,
) -> ScoreRequest:
    documents = corpus.documents if corpus else ()
    return ScoreRequest(
        model=models[0],
        reference=models[1],
        documents=tuple(TextDocument(one.name, one.text) for one in documents),
        prompts=tuple(
            prompt for number, one in enumerate(sets) for prompt in prompts_of(one, number)
        ),
        positions=str(positions),
        context=min(questions.context, max(_CONTEXT, questions.window)),
        window=min(questions.context, questions.window),
        tokens=questions.tokens,
        temperature=questions.temperature,
        seed=questions.seed,
        now=_DAY.isoformat(),
    )


def _runtime(ref: ModelRef, model: ScoredModel, facts: ScoredFacts) -> LanguageRuntime:
    title = TEXT_BACKENDS[model.backend].title
    return LanguageRuntime(f"{ref.model_name}:{ref.name}", title, facts.version)


def _split(
    answers: Sequence[ScoredAnswer], sets: Sequence[TaskSet]
) -> list[Sequence[ScoredAnswer]]:
    """Return the answers of each set."""
    found, place = [], 0
    for one in sets:
        found.append(answers[place : place + len(one.items)])
        place += len(one.items)
    return found


def _with_answers(
    whole: LanguageScore,
    reply: ScoreReply,
    sets: Sequence[TaskSet],
    replies: Sequence[Sequence[ScoredAnswer]],
) -> LanguageScore:
    """Return the result with the written answers side by side, and the behaviour over them."""
    written = [one for one in reply.answers if isinstance(one.model, ScoredText)]
    if not written:
        return whole
    ours = [one.model for one in written if isinstance(one.model, ScoredText)]
    others = [one.reference for one in written if isinstance(one.reference, ScoredText)]
    equal = sum(one.split is None for one in written)
    return replace(
        whole,
        behaviour=behaviour([(one.text, one.tokens, one.end) for one in ours]),
        reference_behaviour=behaviour([(one.text, one.tokens, one.end) for one in others]),
        equal_answers=proportion(equal, len(written)) if others else None,
        answers=tuple(
            _pair(task_set, number, answer)
            for task_set, answers in zip(sets, replies, strict=True)
            for number, answer in enumerate(answers)
            if isinstance(answer.model, ScoredText)
        ),
    )


def _pair(task_set: TaskSet, number: int, answer: ScoredAnswer) -> AnswerPair:
    item, split = task_set.items[number], answer.split
    assert isinstance(answer.model, ScoredText)
    return AnswerPair(
        task_set.head.name,
        item.id,
        shown_prompt(item, task_set),
        answer.model.text,
        answer.reference.text if isinstance(answer.reference, ScoredText) else None,
        AnswerSplit(
            split.place, token_probabilities(split.model), token_probabilities(split.reference)
        )
        if split is not None
        else None,
    )
