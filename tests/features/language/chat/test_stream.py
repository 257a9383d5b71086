"""Streams of answers: what is read of them, and the times of their tokens."""

from __future__ import annotations

from dataclasses import replace

import pytest

from studio.api import TargetError
from studio.features.language.chat.results import ChatAnswer, ChatTimes
from studio.features.language.chat.stream import StreamedAnswer
from tests.features.language.chat.parts import ended, event, part


def streamed(content: bytes) -> StreamedAnswer:
    found = StreamedAnswer()
    for number, line in enumerate(content.splitlines(keepends=True)):
        found.add(line, found.began + 0.1 + number / 10)
    return found


def test_an_answer_is_put_together_with_its_counts() -> None:
    answer = streamed(part("The") + part(" end") + part(".") + ended()).answer()
    assert answer.text == "The end."
    assert answer.tokens == ("The", " end", ".")
    assert answer.end == "stop"
    counts = (answer.prompt_tokens, answer.cached_tokens, answer.answer_tokens)
    assert counts == (30, 7, 3)


def test_times_are_those_of_the_arrival() -> None:
    times = streamed(part("a") + part("b") + part("c")).answer().times  # 0.2 s between two
    assert times.first_ms == pytest.approx(100)
    assert times.tokens_per_s == pytest.approx(5)


def test_one_token_has_no_rate() -> None:
    assert streamed(part("a")).answer().times.tokens_per_s is None


def test_an_update_has_what_is_new() -> None:
    found = streamed(part("a") + part("b"))
    first = found.update()
    assert first is not None
    assert first.text == "ab"
    assert first.count == 2
    assert found.update() is None


def test_a_server_that_names_no_tokens_gives_none() -> None:
    answer = streamed(event({"choices": [{"delta": {"content": "Hi"}}]}) + ended()).answer()
    assert answer.text == "Hi"
    assert answer.tokens == ()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"data: {]\n", "The server sent an answer that is no stream of a chat."),
        (b"data: 7\n", "The server sent an answer that is no stream of a chat."),
        (
            event({"error": {"message": "out of\nmemory"}}),
            "The model did not answer: out of memory",
        ),
        (event({"error": 3}), "The model did not answer: it gave no reason."),
    ],
)
def test_a_failure_is_one_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(TargetError) as caught:
        streamed(content)
    assert caught.value.message == sentence


@pytest.mark.parametrize(
    "document",
    [
        {"choices": 5},
        {"choices": [7]},
        {"choices": [{"delta": "x", "logprobs": {"content": [1]}}]},
        {"choices": [{"delta": {"content": 9}}], "usage": {"prompt_tokens": "many"}},
    ],
)
def test_parts_of_other_shapes_are_passed_over(document: object) -> None:
    assert streamed(event(document)).answer().text == ""


ANSWER = ChatAnswer("The sky", ("The", " sky"), "stop", 1, 0, 2, ChatTimes())


@pytest.mark.parametrize(
    ("tokens", "place"),
    [
        (("The", " sky"), None),
        (("The", " sea"), 1),
        (("A", " sky"), 0),
        (("The", " sky", "."), 2),
        (("The",), 1),
        ((), None),
    ],
)
def test_the_first_different_token_is_found(tokens: tuple[str, ...], place: int | None) -> None:
    assert ANSWER.first_difference(replace(ANSWER, tokens=tokens)) == place


def test_a_token_has_its_place_in_the_text() -> None:
    assert ANSWER.span_of(1) == (3, 7)
    assert ANSWER.span_of(2) == (7, 7)
