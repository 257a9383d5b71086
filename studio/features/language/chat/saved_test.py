"""A conversation kept as a test: a line of a task set, which an evaluation puts to any model."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from studio.api import UsageError
from studio.documents.dataclass_json import JsonValue, to_json
from studio.features.language.chat.results import USER, ChatMessage
from studio.lazy_dataclass import dataclass
from studio.runtime.shared.files import append_line

EXACT, REGEX, JSON, OPEN = "exact", "regex", "json", "open"
CHECKS = (EXACT, REGEX, JSON, OPEN)

SUFFIX = ".jsonl"
_MOST_BYTES = 16 << 20
_LONGEST_ANSWER = 4096


@dataclass(frozen=True, slots=True)
class ExpectedAnswer:
    """The rule by which the answer to a saved conversation is right.

    Attributes:
        check: One of ``CHECKS``: the same text, a pattern that occurs in it, JSON that fits a
            schema, or anything.
        text: The right answer, or the pattern.
        schema: The schema of ``json``.
        limit: Most tokens of an answer.
    """

    check: str = EXACT
    text: str = ""
    schema: JsonValue = None
    limit: int = 64


def save_test(
    path: Path, messages: Sequence[ChatMessage], expected: ExpectedAnswer, schema: str = ""
) -> int:
    """Add a conversation to a task set, a file with a line of JSON for each; return their number.

    Args:
        path: The file; it is made where it is missing.
        messages: A conversation; what follows the last message of the user is left out.
        schema: File of the schema, for an answer in JSON.

    Raises:
        UsageError: when no answer could be right, or the file cannot be written.
    """
    if schema:
        expected = replace(expected, schema=_schema(schema))
    if path.suffix.lower() != SUFFIX:
        raise UsageError(f"{path.name}: the file's name must end with {SUFFIX}.")
    added = json.dumps(_item(messages, expected), ensure_ascii=False).encode("utf-8", "replace")
    try:
        before = _content(path)
        if len(before) + len(added) > _MOST_BYTES:
            raise UsageError(f"{path.name} would have more than {_MOST_BYTES >> 20} MB.")
        append_line(path, added)
    except OSError as error:
        raise UsageError(f"{path.name} cannot be written: {error.strerror}.") from None
    return 1 + sum(bool(line.strip()) for line in before.splitlines())


def _schema(path: str) -> JsonValue:
    """Return the schema in a file; None where there is no object."""
    try:
        with Path(path).open("rb") as stream:
            found: JsonValue = json.loads(stream.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _content(path: Path) -> bytes:
    if not path.exists():
        return b""
    if not path.is_file():
        raise UsageError(f"{path.name} is not a regular file.")
    with path.open("rb") as stream:
        return stream.read(_MOST_BYTES + 1)


def _item(messages: Sequence[ChatMessage], expected: ExpectedAnswer) -> dict[str, JsonValue]:
    last = max((n for n, one in enumerate(messages) if one.role == USER), default=-1)
    if last < 0:
        raise UsageError("The conversation has no message yet.")
    limit = max(1, min(expected.limit, _LONGEST_ANSWER))
    item: dict[str, JsonValue] = {
        "kind": expected.check,
        "messages": to_json(tuple(messages[: last + 1])),
        "limit": limit,
    }
    return {**item, **_expectation(expected)}


def _expectation(expected: ExpectedAnswer) -> dict[str, JsonValue]:
    text = expected.text.strip()
    if expected.check == EXACT:
        if not text:
            raise UsageError("The right answer is empty.")
        return {"answer": text}
    if expected.check == REGEX:
        try:
            re.compile(text)
        except (re.error, RecursionError, OverflowError) as error:
            raise UsageError(f"The pattern cannot be used: {error}.") from None
        if not text:
            raise UsageError("The pattern is empty.")
        return {"pattern": text}
    if expected.check == JSON:
        if not isinstance(expected.schema, dict):
            raise UsageError("Choose a JSON Schema for the answer first.")
        return {"schema": expected.schema}
    return {}
