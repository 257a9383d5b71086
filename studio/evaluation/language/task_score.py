"""The figures of task sets, from the answers of one or two models."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy

from studio.documents.plain import one_line
from studio.evaluation.language.process import ScoredAnswer, ScoredText
from studio.evaluation.language.results import FilterScore, TaskItemScore, TaskSetScore
from studio.evaluation.language.schema import fits
from studio.evaluation.language.statistics import paired_change, proportion
from studio.evaluation.language.task_sets import (
    CHOICE,
    EXACT,
    JSON,
    OPEN,
    REGEX,
    TOOL_CALL,
    TaskItem,
    TaskSet,
)
from studio.lazy_dataclass import dataclass
from studio.runtime.generate.score.request import ChatMessage, ScoredPrompt

STRICT, LENIENT = "strict", "lenient"
LIKELIHOOD, PER_BYTE = "likelihood", "per byte"

_ARTICLES = frozenset({"a", "an", "the"})
_FENCE = re.compile(r"```[a-zA-Z]*\n(.*?)```", re.DOTALL)
_CALL = re.compile(r"<tool_call>(.*?)(?:</tool_call>|$)", re.DOTALL)
_GROUPED = re.compile(r"(?<=\d),(?=\d{3}\b)")
_MOST_STARTS = 50
"""Places of an answer at which a JSON value is looked for."""


def marked(item: TaskItem, answer: str) -> tuple[str, ...]:
    """Return the filters that count an answer as right."""
    strict, lenient = _MARKS[item.kind]
    found = [name for name, mark in ((STRICT, strict), (LENIENT, lenient)) if mark(item, answer)]
    # What is right as it is can be found in the text, too.
    return (STRICT, LENIENT) if STRICT in found else tuple(found)


def chosen(item: TaskItem, scores: Sequence[float]) -> tuple[int, tuple[str, ...]]:
    """Return the most probable choice, and the filters by which the right one is the best.

    Args:
        scores: Sum of the log-probabilities of the tokens of each choice.
    """
    lengths = [max(1, len(one.encode())) for one in item.choices]
    best = _best(scores)
    per_byte = _best([score / length for score, length in zip(scores, lengths, strict=True)])
    found = [
        name
        for name, choice in ((LIKELIHOOD, best), (PER_BYTE, per_byte))
        if choice == item.right_choice
    ]
    return best, tuple(found)


def normalised(text: str) -> str:
    """Return a text in lower case, without punctuation, articles and marks of thousands."""
    plain = _GROUPED.sub("", unicodedata.normalize("NFKC", text)).casefold()
    letters = "".join(one if _is_kept(plain, at) else " " for at, one in enumerate(plain))
    return " ".join(word for word in letters.split() if word not in _ARTICLES)


def _is_kept(text: str, place: int) -> bool:
    char = text[place]
    if char in ".-":  # of a number
        before, after = text[place - 1 : place], text[place + 1 : place + 2]
        return after.isdigit() and ((char == "-" and not before.isalnum()) or before.isdigit())
    return char.isalnum()


def _best(scores: Sequence[float]) -> int:
    return max(range(len(scores)), key=scores.__getitem__)


def _exact(item: TaskItem, answer: str) -> bool:
    return answer.strip() in {one.strip() for one in item.right}


def _contains(item: TaskItem, answer: str) -> bool:
    words = f" {normalised(answer)} "
    return any(f" {normalised(one)} " in words for one in item.right if normalised(one))


def _json(item: TaskItem, answer: str) -> bool:
    value = _parsed(answer.strip())
    return value is not None and _is_right(item, value[0])


def _json_within(item: TaskItem, answer: str) -> bool:
    return any(_is_right(item, one) for one in _values(answer))


def _is_right(item: TaskItem, value: Any) -> bool:
    if item.schema is not None and not fits(value, item.schema):
        return False
    wanted = item.answer
    if isinstance(wanted, Mapping):
        return isinstance(value, Mapping) and all(value.get(key) == wanted[key] for key in wanted)
    return wanted is None or bool(value == wanted)


def _call(item: TaskItem, answer: str) -> bool:
    text = answer.strip()
    wrapped = _CALL.fullmatch(text)
    value = _parsed((wrapped.group(1) if wrapped else text).strip())
    if value is None or not isinstance(value[0], Mapping):
        return False
    name, arguments = _name_and_arguments(value[0])
    return bool(name == item.tool and arguments == dict(item.arguments))


def _call_within(item: TaskItem, answer: str) -> bool:
    texts = [*_CALL.findall(answer), answer]
    for value in (one for text in texts for one in _values(text)):
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, Mapping):
            name, arguments = _name_and_arguments(first)
            if name is not None:  # the first call counts
                return name == item.tool and _alike(arguments, item.arguments)
    return False


def _name_and_arguments(call: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the name and arguments of a call in one of the usual forms."""
    inner = call.get("function")
    whole = inner if isinstance(inner, Mapping) else call
    arguments = whole.get("arguments", whole.get("parameters"))
    if isinstance(arguments, str):
        parsed = _parsed(arguments)
        arguments = parsed[0] if parsed else arguments
    return whole.get("name"), arguments


def _alike(given: Any, wanted: Mapping[str, Any]) -> bool:
    if not isinstance(given, Mapping) or set(given) != set(wanted):
        return False
    return all(normalised(str(given[key])) == normalised(str(wanted[key])) for key in wanted)


def _matches(item: TaskItem, answer: str) -> bool:
    return re.fullmatch(item.pattern, answer.strip()) is not None


def _matches_within(item: TaskItem, answer: str) -> bool:
    return re.search(item.pattern, answer) is not None


def _parsed(text: str) -> tuple[Any] | None:
    """Return a JSON value, alone in a tuple; None for what is no JSON."""
    try:
        return (json.loads(text, parse_constant=_refused),)
    except (ValueError, RecursionError):
        return None


def _refused(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _values(answer: str) -> Iterator[Any]:
    """Yield the JSON values in an answer: in fences of code, then in its text."""
    for block in _FENCE.findall(answer):
        value = _parsed(block.strip())
        if value is not None:
            yield value[0]
    decoder = json.JSONDecoder(parse_constant=_refused)
    place = 0
    for _ in range(_MOST_STARTS):
        starts = [at for at in (answer.find("{", place), answer.find("[", place)) if at >= 0]
        if not starts:
            return
        try:
            value, place = decoder.raw_decode(answer, min(starts))
        except (ValueError, RecursionError):
            place = min(starts) + 1
            continue
        yield value


Mark = Callable[[TaskItem, str], bool]

_MARKS: Mapping[str, tuple[Mark, Mark]] = {
    EXACT: (_exact, _contains),
    JSON: (_json, _json_within),
    TOOL_CALL: (_call, _call_within),
    REGEX: (_matches, _matches_within),
}


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
