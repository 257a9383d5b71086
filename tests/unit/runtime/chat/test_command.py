"""The command ``chat`` of the runtime: lines in, streams out."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

import numpy
import pytest

from studio.runtime.chat.command import converse
from studio.runtime.generate.text_model import Part, TextModelFacts

ANSWER = b"Paris."
TEMPLATE = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
END = 0


class Parrot:
    """A model whose tokens are bytes, and that always gives the same answer."""

    def __init__(self, template: str = TEMPLATE) -> None:
        ends = frozenset({END})
        self.facts = TextModelFacts("1.0", 256, 128, 1, 64, ends=ends, template=template)
        self._written = 0
        self.closed = False

    def encode(self, text: str, special: bool = False) -> list[int]:
        return list(text.encode())

    def piece(self, token: int) -> bytes:
        return bytes([token]) if token else b""

    def run(self, parts: Sequence[Part]) -> list[Any]:
        found = []
        for part in parts:
            scores = numpy.zeros((part.scores, 256), numpy.float32)
            if part.scores:
                self._written = 0 if len(part.tokens) > 1 else self._written + 1
                following = (*ANSWER, END)[min(self._written, len(ANSWER))]
                scores[-1, following] = 10.0
            found.append(scores)
        return found

    def keep(self, slot: int, count: int) -> bool:
        return True

    def embed(self, tokens: Sequence[int]) -> Any:
        raise NotImplementedError

    def close(self) -> None:
        self.closed = True


def answers(model: Parrot, *requests: bytes) -> list[Any]:
    """The documents that the command writes, without the marks of the stream."""
    out = io.BytesIO()
    status = converse(model, io.BytesIO(b"".join(one + b"\n" for one in requests)), out)  # type: ignore[arg-type]
    assert status == 0
    lines = [line for line in out.getvalue().splitlines() if line]
    texts = [line.removeprefix(b"data: ") for line in lines]
    return [text.decode() if text == b"[DONE]" else json.loads(text) for text in texts]


def request(**fields: Any) -> bytes:
    messages = [{"role": "user", "content": "Capital of France?"}]
    usual = {"messages": messages, "temperature": 0, "max_tokens": 20, "stream": True}
    return json.dumps({**usual, **fields}).encode()


def text_of(documents: list[Any]) -> str:
    choices = [one["choices"][0] for one in documents if isinstance(one, dict) and "choices" in one]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


def test_a_request_is_answered_as_the_server_streams_it() -> None:
    found = answers(Parrot(), request())
    assert found[0] == {"ready": {"version": "1.0", "context": 128, "fault": ""}}
    assert text_of(found) == "Paris."
    assert found[-1] == "[DONE]"


def test_the_tokens_are_named_where_they_are_wanted() -> None:
    found = answers(Parrot(), request(logprobs=True))
    rows = [
        row["token"]
        for one in found
        if isinstance(one, dict) and one.get("choices") and one["choices"][0].get("logprobs")
        for row in one["choices"][0]["logprobs"]["content"]
    ]
    assert "".join(rows) == "Paris."


def test_several_requests_are_answered_in_order() -> None:
    found = answers(Parrot(), request(max_tokens=2), request())
    assert found.count("[DONE]") == 2
    assert text_of(found) == "PaParis."


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (b"no json", "The body is not a JSON object in UTF-8."),
        (b'{"messages": []}', "messages has at least one message."),
        (request(temperature=9), "temperature is a number from 0 to 2."),
    ],
)
def test_a_bad_request_is_an_error_and_the_next_one_is_answered(line: bytes, sentence: str) -> None:
    found = answers(Parrot(), line, request())
    assert found[1]["error"]["message"] == sentence
    assert text_of(found[3:]) == "Paris."


def test_a_model_without_a_template_says_so_before_any_request() -> None:
    assert answers(Parrot(template=""))[0]["ready"]["fault"] == "The model has no chat template."
