"""The figures of task sets, from the answers of one or two models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy

from studio.documents.plain import one_line
from studio.evaluation.language.marks import (
    LENIENT,
    LIKELIHOOD,
    PER_BYTE,
    STRICT,
    chosen,
    marked,
)
from studio.evaluation.language.process import ScoredAnswer, ScoredText
from studio.evaluation.language.results import FilterScore, TaskItemScore, TaskSetScore
from studio.evaluation.language.statistics import paired_change, proportion
from studio.evaluation.language.task_sets import CHOICE, OPEN, TaskItem, TaskSet
from studio.lazy_dataclass import dataclass
from studio.runtime.generate.score.request import ChatMessage, ScoredPrompt

_FILTERS = (LIKELIHOOD, PER_BYTE, STRICT, LENIENT)
_SHOWN = 2000
"""Most characters of an answer in results."""

AnyAnswer = ScoredText | tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Marked:
    answer: str
    correct: tuple[str, ...]


def prompts_of(task_set: TaskSet, number: int) -> list[ScoredPrompt]:
    """Return the prompts of a set; their ids are ``NUMBER/ID``."""
    return [_prompt(one, task_set, number) for one in task_set.items]


def task_set_score(task_set: TaskSet, answers: Sequence[ScoredAnswer]) -> TaskSetScore:
    """Return the figures of a set, from the answers in the order of its items."""
    pairs = list(zip(task_set.items, answers, strict=True))
    ours = [_mark(item, answer.model) for item, answer in pairs]
    others = [
        None if answer.reference is None else _mark(item, answer.reference)
        for item, answer in pairs
    ]
    head = task_set.head
    return TaskSetScore(
        head.name,
        head.title,
        head.version,
        head.licence,
        task_set.digest,
        tuple(
            _filter(name, task_set.items, ours, others)
            for name in _FILTERS
            if any(name in _filters(item) for item in task_set.items)
        ),
        tuple(map(_item, task_set.items, ours, others)),
    )


def shown_prompt(item: TaskItem, task_set: TaskSet) -> str:
    """Return the words of the user, for people."""
    if item.messages:
        return item.messages[-1].content
    return item.prompt or item.question


def _prompt(item: TaskItem, task_set: TaskSet, number: int) -> ScoredPrompt:
    head = task_set.head
    pattern = head.prompt or "{question}"
    text = item.prompt or pattern.replace("{question}", item.question)
    messages = tuple(ChatMessage(one.role, one.content) for one in item.messages)
    if not messages and item.chat:
        messages = (ChatMessage("user", text),)
    has_system = any(one.role == "system" for one in messages)
    if messages and head.system and not has_system:
        messages = (ChatMessage("system", head.system), *messages)
    space = "" if messages else " "
    return ScoredPrompt(
        f"{number}/{item.id}",
        "" if messages else text,
        messages,
        tuple(f"{space}{one}" for one in item.choices) if item.kind == CHOICE else (),
        item.stop,
        item.limit,
    )


def _filters(item: TaskItem) -> tuple[str, ...]:
    if item.kind == OPEN:
        return ()
    return (LIKELIHOOD, PER_BYTE) if item.kind == CHOICE else (STRICT, LENIENT)


def _mark(item: TaskItem, answer: AnyAnswer) -> _Marked:
    if isinstance(answer, ScoredText):
        return _Marked(answer.text, () if item.kind == OPEN else marked(item, answer.text))
    best, correct = chosen(item, answer)
    return _Marked(item.choices[best], correct)


def _filter(
    name: str,
    items: Sequence[TaskItem],
    ours: Sequence[_Marked],
    others: Sequence[_Marked | None],
) -> FilterScore:
    rows = [place for place, item in enumerate(items) if name in _filters(item)]
    mine = numpy.array([float(name in ours[place].correct) for place in rows])
    theirs = [others[place] for place in rows]
    known = [float(name in one.correct) for one in theirs if one is not None]
    chances = [1 / len(items[place].choices) for place in rows if items[place].choices]
    correct = int(mine.sum())
    has_reference = len(known) == len(rows)
    return FilterScore(
        name,
        len(rows),
        correct,
        proportion(correct, len(rows)),
        sum(chances) / len(chances) if chances else None,
        proportion(int(sum(known)), len(rows)) if has_reference else None,
        paired_change(mine, numpy.array(known)) if has_reference else None,
    )


def _item(item: TaskItem, mine: _Marked, other: _Marked | None) -> TaskItemScore:
    return TaskItemScore(
        item.id,
        item.kind,
        _expected(item),
        mine.answer[:_SHOWN],
        mine.correct,
        None if other is None else other.answer[:_SHOWN],
        () if other is None else other.correct,
    )


def _expected(item: TaskItem) -> str:
    if item.kind == CHOICE:
        return item.choices[item.right_choice]
    if item.tool:
        values = ", ".join(f"{key}={value!r}" for key, value in item.arguments.items())
        return one_line(f"{item.tool}({values})")
    if item.pattern:
        return one_line(item.pattern)
    return one_line(" | ".join(item.right) or ("JSON" if item.schema is not None else ""))
