"""Requests of a chat, made from the options of a step."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.api import TargetSpec, UsageError
from studio.features.language.chat.question import messages_of, request_of
from studio.features.language.chat.step import ChatServedOptions

TARGET = TargetSpec("local", "local:")


def options(**given: object) -> ChatServedOptions:
    return ChatServedOptions(**{"prompt": "Hello", "target": TARGET, **given})  # type: ignore[arg-type]


def test_the_conversation_is_in_order() -> None:
    found = messages_of(options(system="Be brief.", history=("Hi", "Hello."), prompt="Why?"))
    assert [(one.role, one.content) for one in found] == [
        ("system", "Be brief."),
        ("user", "Hi"),
        ("assistant", "Hello."),
        ("user", "Why?"),
    ]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"prompt": " \n"}, "The message to the model is empty."),
        ({"history": ("Hi",)}, "The history ends with a message of the model."),
    ],
)
def test_a_conversation_that_cannot_be_is_refused(given: dict[str, object], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        messages_of(options(**given))
    assert caught.value.message == sentence


def test_the_parameters_are_in_the_request(tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text('{"type": "object"}')
    found = json.loads(request_of(options(temperature=0.5, seed=3, tokens=9, schema=schema)))
    assert (found["temperature"], found["seed"], found["max_tokens"]) == (0.5, 3, 9)
    assert found["response_format"]["json_schema"]["schema"] == {"type": "object"}


@pytest.mark.parametrize("content", ["[1]", "{", "[" * 100_000])
def test_a_schema_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text(content)
    with pytest.raises(UsageError, match=r"schema\.json is not"):
        request_of(options(schema=schema))
