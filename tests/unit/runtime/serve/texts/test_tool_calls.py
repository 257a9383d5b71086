"""Calls of tools in answers: found where they are valid, left as text where they are not."""

from __future__ import annotations

import json

import pytest

from studio.runtime.serve.contracts.openai.tool_calls import split_calls

CALL = '<tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call>'


def test_calls_leave_the_text() -> None:
    text, calls = split_calls(f"I add. {CALL} And again: {CALL}")
    assert text == "I add.  And again:"
    assert [call.name for call in calls] == ["add", "add"]
    assert [json.loads(call.arguments) for call in calls] == [{"a": 1}, {"a": 1}]


def test_an_answer_that_is_a_call() -> None:
    text, [call] = split_calls(' {"name": "add", "parameters": {"a": 1}} ')
    assert text == ""
    assert json.loads(call.arguments) == {"a": 1}


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "<tool_call>{}</tool_call>",
        "<tool_call>[1]</tool_call>",
        '<tool_call>{"name": 1}</tool_call>',
        '<tool_call>{"name": "add", "arguments": {}}',
        "{" * 5000,
        "<tool_call>" * 50_000,
        "<tool_call>{</tool_call>" * 20_000,
    ],
)
def test_anything_else_stays_text(text: str) -> None:
    assert split_calls(text) == (text, [])
