"""Task sets: prompts with what makes an answer right, as data in TOML or in lines of JSON."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from studio.api import InvalidData, UsageError
from studio.documents.dataclass_json import InvalidDocument, JsonValue, from_json, key_types
from studio.documents.toml_text import TomlText, no_such
from studio.evaluation.language.schema import schema_problem
from studio.lazy_dataclass import dataclass
from studio.settings import resource

CHOICE, EXACT, JSON, TOOL_CALL, REGEX, OPEN = (
    *("choice", "exact", "json", "tool_call", "regex"),
    "open",
)
KINDS = (CHOICE, EXACT, JSON, TOOL_CALL, REGEX, OPEN)

_MOST_BYTES = 16 << 20
_MOST_ITEMS = 10_000
_MOST_CHOICES = 26
_LONGEST_PROMPT = 200_000
_LONGEST_ANSWER = 4096
_ROLES = ("system", "user", "assistant")

Fail = Callable[[str], UsageError]
"""Makes the error of an item, with its place."""


@dataclass(frozen=True, slots=True)
class TaskMessage:
    """A message of a conversation."""

    role: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskItem:
    """A task for a model, with its right answer.

    Attributes:
        id: Unique in the set; its number without one.
        kind: One of ``KINDS``; ``open`` has no right answer.
        question: Fills ``{question}`` of the set's prompt.
        prompt: The whole text, instead of a question.
        messages: A conversation, instead of a question.
        chat: Whether a question or prompt is put to the model as a message of a user.
        choices: Of ``choice``, as text or with the number of the right one in ``answer``.
        answer: The right answer: a text or several, the number of a choice from 0, or the values
            that a JSON answer must have.
        schema: Of ``json``: the form of the answer, in some words of JSON Schema.
        tool, arguments: Of ``tool_call``.
        pattern: Of ``regex``.
        stop: Texts that end an answer.
        limit: Most tokens of an answer.
    """

    id: str = ""
    kind: str = ""
    question: str = ""
    prompt: str = ""
    messages: tuple[TaskMessage, ...] = ()
    chat: bool | None = None
    choices: tuple[str, ...] = ()
    answer: JsonValue = None
    schema: Mapping[str, JsonValue] | None = None
    tool: str = ""
    arguments: Mapping[str, JsonValue] = field(default_factory=dict)
    pattern: str = ""
    stop: tuple[str, ...] = ()
    limit: int = 0

    @property
    def right(self) -> tuple[str, ...]:
        """The right answers as texts."""
        many = self.answer if isinstance(self.answer, list) else [self.answer]
        return tuple(str(one) for one in many if one is not None)

    @property
    def right_choice(self) -> int:
        """Number of the right choice."""
        if isinstance(self.answer, str):
            return self.choices.index(self.answer)
        return int(self.answer) if isinstance(self.answer, int) else -1


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSetHead:
    """The table ``[set]``: what is known of all items, and the defaults of each.

    Attributes:
        system: Message of the system in front of each conversation.
        prompt: The text of a question, with ``{question}``.
    """

    name: str = ""
    title: str = ""
    version: str = ""
    licence: str = ""
    kind: str = EXACT
    prompt: str = ""
    system: str = ""
    chat: bool | None = None
    stop: tuple[str, ...] = ()
    limit: int = 64


@dataclass(frozen=True, slots=True)
class TaskSet:
    """A task set with its digest; each item is complete."""

    head: TaskSetHead
    items: tuple[TaskItem, ...]
    digest: str


def shipped() -> tuple[str, ...]:
    """Return the names of the task sets that come with the studio."""
    return tuple(sorted(one.stem for one in resource("tasks").glob("*.toml")))


def find(text: str) -> Path:
    """Return the file of a task set, given by its name or as a file.

    Raises:
        UsageError: when it is neither.
    """
    if text in shipped():
        return resource("tasks", f"{text}.toml")
    path = Path(text).expanduser()
    if path.is_file():
        return path
    reason, _ = no_such(text, shipped(), "task set")
    hint = f"Give a file, or one of: {', '.join(shipped())}."
    raise UsageError(f"{reason[0].upper()}{reason[1:]}", hint=hint)


def read_set(path: Path) -> TaskSet:
    """Read a task set.

    Raises:
        UsageError: with the line, for what is wrong in it.
        InvalidData: when it cannot be read at all.
    """
    content = _content(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidData(f"{path.name}, line {line}: this is no UTF-8 text.") from None
    digest = hashlib.sha256(content).hexdigest()
    if path.suffix.lower() == ".jsonl":
        head, items = _from_lines(text, path)
    else:
        head, items = _from_toml(text, path)
    if not items:
        raise InvalidData(f"{path.name} has no items.")
    return TaskSet(head, items, digest)


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise InvalidData(f"{path.name} cannot be read: {error.strerror}.") from None
    if len(content) > _MOST_BYTES:
        raise InvalidData(f"{path.name} has more than {_MOST_BYTES >> 20} MB.")
    return content


def _from_toml(text: str, path: Path) -> tuple[TaskSetHead, tuple[TaskItem, ...]]:
    toml = TomlText.read(text, path.name)
    for key in toml.values:
        if key not in ("set", "items"):
            raise toml.unknown(("set", "items"), key, what="table")

    def at_head(reason: str) -> UsageError:
        return toml.wrong(reason, "set")

    head = _head(toml.values.get("set", {}), path, at_head)
    rows = toml.values.get("items", [])
    if not isinstance(rows, list):
        raise toml.wrong("items are tables: [[items]].", "items")
    places = [lambda reason, n=n: toml.wrong(reason, "items", n) for n in range(len(rows))]
    return head, _items(rows, head, places, path)


def _from_lines(text: str, path: Path) -> tuple[TaskSetHead, tuple[TaskItem, ...]]:
    rows: list[Any] = []
    places: list[Fail] = []
    head = TaskSetHead(name=path.stem)
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue

        def wrong(reason: str, number: int = number) -> UsageError:
            return UsageError(f"{path.name}, line {number}: {reason}")

        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise wrong("this is not JSON.") from None
        if isinstance(row, dict) and set(row) == {"set"} and not rows:
            head = _head(row["set"], path, wrong)
            continue
        rows.append(row)
        places.append(wrong)
    return head, _items(rows, head, places, path)


def _head(values: Any, path: Path, fail: Fail) -> TaskSetHead:
    head = _read(TaskSetHead, values, fail)
    if head.kind not in KINDS:
        raise fail(no_such(head.kind, KINDS, "kind")[0])
    if head.prompt and "{question}" not in head.prompt:
        raise fail("the prompt lacks {question}.")
    values = {"name": head.name or path.stem, "title": head.title or head.name or path.stem}
    return TaskSetHead(**{**_values(head), **values})


def _items(
    rows: Sequence[Any], head: TaskSetHead, places: Sequence[Fail], path: Path
) -> tuple[TaskItem, ...]:
    if len(rows) > _MOST_ITEMS:
        raise InvalidData(f"{path.name} has more than {_MOST_ITEMS:,} items.")
    items, known = list[TaskItem](), set[str]()
    for number, (row, fail) in enumerate(zip(rows, places, strict=True), 1):
        item = _item(_read(TaskItem, row, fail), head, number, fail)
        if item.id in known:
            raise fail(f"the id {item.id!r} occurs twice.")
        known.add(item.id)
        items.append(item)
    return tuple(items)


def _item(item: TaskItem, head: TaskSetHead, number: int, fail: Fail) -> TaskItem:
    """Return an item with the defaults of its set.

    Raises:
        UsageError: when it cannot be put to a model, or no answer can be right.
    """
    kind = item.kind or head.kind
    chat = head.chat if item.chat is None else item.chat
    filled = {
        "id": item.id or str(number),
        "kind": kind,
        "chat": kind != CHOICE if chat is None else chat,
        "stop": item.stop or head.stop,
        "limit": item.limit or head.limit,
    }
    complete = TaskItem(**{**_values(item), **filled})
    reason = _problem(complete) or _ANSWER_PROBLEMS[kind](complete)
    if reason:
        raise fail(reason)
    return complete


def _problem(item: TaskItem) -> str:
    """Return what is wrong with the prompt of an item; empty when nothing is."""
    given = [bool(item.question), bool(item.prompt), bool(item.messages)]
    if sum(given) != 1:
        return "an item has either a question, a prompt, or messages."
    if len(item.question) + len(item.prompt) > _LONGEST_PROMPT:
        return f"the prompt has more than {_LONGEST_PROMPT:,} characters."
    if not 1 <= item.limit <= _LONGEST_ANSWER:
        return f"the limit is not between 1 and {_LONGEST_ANSWER:,} tokens."
    for one in item.messages:
        if one.role not in _ROLES:
            return no_such(one.role, _ROLES, "role")[0]
    return ""


def _choice_problem(item: TaskItem) -> str:
    if not 2 <= len(item.choices) <= _MOST_CHOICES:
        return f"a choice has 2 to {_MOST_CHOICES} choices."
    if len(set(item.choices)) < len(item.choices):
        return "two choices are the same."
    if isinstance(item.answer, str):
        return "" if item.answer in item.choices else "the answer is not one of the choices."
    is_number = isinstance(item.answer, int) and not isinstance(item.answer, bool)
    if is_number and 0 <= item.right_choice < len(item.choices):
        return ""
    return "the answer is neither a choice nor its number, which begins at 0."


def _exact_problem(item: TaskItem) -> str:
    return "" if any(one.strip() for one in item.right) else "it has no answer."


def _json_problem(item: TaskItem) -> str:
    if item.schema is None:
        return "" if item.answer is not None else "it has no schema."
    reason = schema_problem(item.schema)
    return f"{reason}." if reason else ""


def _tool_problem(item: TaskItem) -> str:
    return "" if item.tool else "it names no tool."


def _pattern_problem(item: TaskItem) -> str:
    if not item.pattern:
        return "it has no pattern."
    try:
        re.compile(item.pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return f"the pattern cannot be used: {error}."
    return ""


def _no_problem(_: TaskItem) -> str:
    return ""


_ANSWER_PROBLEMS: Mapping[str, Callable[[TaskItem], str]] = {
    CHOICE: _choice_problem,
    EXACT: _exact_problem,
    JSON: _json_problem,
    TOOL_CALL: _tool_problem,
    REGEX: _pattern_problem,
    OPEN: _no_problem,
}


def _read(form: type[Any], values: Any, fail: Fail) -> Any:
    if not isinstance(values, Mapping):
        raise fail("this is no table.")
    for key in values:
        if key not in key_types(form):
            raise fail(no_such(str(key), key_types(form))[0])
    if values.get("kind") and values["kind"] not in KINDS:
        raise fail(no_such(str(values["kind"]), KINDS, "kind")[0])
    try:
        return from_json(form, values)
    except InvalidDocument as error:
        raise fail(f"{str(error)[:300]}") from None


def _values(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in key_types(type(value))}
