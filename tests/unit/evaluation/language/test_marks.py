"""Answers that are right: strictly, leniently, or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from studio.evaluation.language.task_score import chosen, marked, normalised
from studio.evaluation.language.task_sets import TaskItem

BOTH, LENIENT, NONE = ("strict", "lenient"), ("lenient",), ()


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("Paris", BOTH),
        (" Paris\n", BOTH),
        ("Paris.", LENIENT),
        ("The capital of France is Paris.", LENIENT),
        ("paris", LENIENT),
        ("Parisian", NONE),
        ("", NONE),
    ],
)
def test_exact_answers(answer: str, found: tuple[str, ...]) -> None:
    assert marked(TaskItem(kind="exact", answer=["Paris", "City of Paris"]), answer) == found


@pytest.mark.parametrize(
    ("answer", "found"),
    [("1000", BOTH), ("It is 1,000.", LENIENT), ("10000", NONE), ("1000.5", NONE), ("-1000", NONE)],
)
def test_numbers(answer: str, found: tuple[str, ...]) -> None:
    assert marked(TaskItem(kind="exact", answer=1000), answer) == found


def test_normalised_texts() -> None:
    assert normalised("The  Café, a bar!") == "café bar"
    assert normalised("It costs 3.50, not 1,234.") == "it costs 3.50 not 1234"


PERSON: dict[str, Any] = {
    "type": "object",
    "required": ["name", "age"],
    "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}},
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ('{"name": "Ida", "age": 4}', BOTH),
        ('```json\n{"name": "Ida", "age": 4}\n```', LENIENT),
        ('Here: {"name": "Ida", "age": 4} as you wished.', LENIENT),
        ('{"name": "Ida", "age": "4"}', NONE),
        ('{"name": "Ida", "age": true}', NONE),
        ('{"name": "Ida", "age": -4}', NONE),
        ('{"name": "Ida", "age": 4, "more": 1}', NONE),
        ('{"name": "Eva", "age": 4}', NONE),
        ('{"name": "Ida"', NONE),
        ("{" * 100_000, NONE),
        ('{"name": NaN, "age": 4}', NONE),
        ("Ida is 4.", NONE),
    ],
)
def test_json(answer: str, found: tuple[str, ...]) -> None:
    item = TaskItem(kind="json", schema=PERSON, answer={"name": "Ida"})
    assert marked(item, answer) == found


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ('{"name": "set_timer", "arguments": {"minutes": 5}}', BOTH),
        ('<tool_call>{"name": "set_timer", "arguments": {"minutes": 5}}</tool_call>', BOTH),
        ('{"function": {"name": "set_timer", "arguments": "{\\"minutes\\": 5}"}}', BOTH),
        ('Sure: {"name": "set_timer", "parameters": {"minutes": "5"}}', LENIENT),
        ('[{"name": "set_timer", "arguments": {"minutes": 5}}]', LENIENT),
        ('{"name": "set_alarm", "arguments": {"minutes": 5}}', NONE),
        ('{"name": "set_timer", "arguments": {"minutes": 6}}', NONE),
        ('{"name": "set_timer", "arguments": {}}', NONE),
        ("set_timer(5)", NONE),
    ],
)
def test_tool_calls(answer: str, found: tuple[str, ...]) -> None:
    item = TaskItem(kind="tool_call", tool="set_timer", arguments={"minutes": 5})
    assert marked(item, answer) == found


def test_patterns() -> None:
    item = TaskItem(kind="regex", pattern=r"\d{4}-\d\d")
    assert marked(item, "2026-01") == BOTH
    assert marked(item, "in 2026-01.") == LENIENT
    assert marked(item, "in May") == NONE


def test_choices_by_sum_and_per_byte() -> None:
    item = TaskItem(kind="choice", choices=("no", "certainly not"), answer="certainly not")
    assert chosen(item, (-2.0, -4.0)) == (0, ("per byte",))
    assert chosen(item, (-4.0, -2.0)) == (1, ("likelihood", "per byte"))
