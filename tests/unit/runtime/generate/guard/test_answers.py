"""Answers in pieces: nothing of a match leaves, whatever the pieces, and all else does."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping

import pytest

from studio.runtime.generate.guard.errors import GuardError
from studio.runtime.generate.guard.guard import Guard, texts_of


def guard_of(**rule: object) -> Guard:
    """Return a guard with one rule."""
    return Guard.of({"rules": [{"name": "one", **rule}]})


def streamed(guard: Guard, text: str, draw: random.Random, whole: bool = True) -> tuple[str, str]:
    """Return what leaves of an answer in random pieces, and why it was cut."""
    found = guard.filter()
    assert found is not None
    passed, place = "", 0
    while place < len(text):
        size = draw.randrange(1, 6)
        passed += found.add(text[place : place + size])
        place += size
        assert text.startswith(passed)
    return passed + found.end(whole), found.why


def test_words_in_random_pieces() -> None:
    draw = random.Random(7)
    guard = guard_of(words=["bad word", "abba"])
    for _ in range(1500):
        text = "".join(draw.choices(["bad", "word", "abba", " ", ", ", "x", "\u200b", "ab"], k=9))
        passed, why = streamed(guard, text, draw)
        plain = text.replace("\u200b", "")
        match = re.search(r"\b(bad[ ,]+word|abba)\b", plain)
        assert bool(why) == bool(match), text
        if match is None:
            assert passed == text
        else:
            assert len(passed.replace("\u200b", "")) <= match.start(), (text, passed)


@pytest.mark.parametrize("pattern", ["ab+c", r"\bca?b\b", "(?:ab|ba){2}", "a.{0,3}c", "b.*a$"])
def test_patterns_in_random_pieces(pattern: str) -> None:
    draw = random.Random(11)
    guard, peer = guard_of(regex=pattern), re.compile(pattern.replace("$", r"\Z"))
    for _ in range(800):
        text = "".join(draw.choices("abc ", k=12))
        passed, why = streamed(guard, text, draw)
        match = peer.search(text)
        assert bool(why) == bool(match), text
        if match is None:
            assert passed == text
        else:
            assert len(passed) <= match.start(), (text, passed)


def test_text_leaves_as_soon_as_no_rule_can_be_broken_by_it() -> None:
    found = guard_of(words=["secret plan"], regex=None).filter()
    assert found is not None
    parts = [found.add(part) for part in ("My s", "ecre", "t i", "dea", " is", " plain")]
    assert parts == ["My ", "", "secret i", "dea", " is", " plain"]
    assert found.end() == ""


def test_a_bounded_pattern_holds_no_more_than_its_length() -> None:
    found = guard_of(regex=r"\w{2} \w{2} no").filter()
    assert found is not None
    passed = "".join(found.add(char) for char in "ab cd " * 50)
    assert len("ab cd " * 50) - len(passed) <= 8


def test_a_length_is_cut_there() -> None:
    assert streamed(guard_of(characters=10), "x" * 30, random.Random(1))[0] == "x" * 10


def test_rules_that_only_count_hold_nothing() -> None:
    guard = guard_of(words=["word"], action="count")
    assert streamed(guard, "a word and a word.", random.Random(1)) == ("a word and a word.", "")
    assert guard.status()[0]["answers"] == 1
    assert not guard.holds_answers


def test_several_rules_hold_what_any_of_them_needs() -> None:
    rules = [{"name": "a", "words": ["stop here"]}, {"name": "b", "regex": "x{3}"}]
    guard = Guard.of({"rules": rules})
    passed, why = streamed(guard, "go on xx then stop, here", random.Random(2))
    assert passed == "go on xx then "
    assert "'a'" in why


SCHEMA: Mapping[str, object] = {
    "type": "object",
    "properties": {"age": {"type": "integer"}},
    "required": ["age"],
}


@pytest.mark.parametrize(
    ("text", "passed", "cut"),
    [
        ('{"age": 4}', '{"age": 4}', False),
        ('\n {"age": 4}\n', '\n {"age": 4}\n', False),
        ("Sure: {}", "", True),
        ('{"age": "four"}', '{"age": ', True),
        ('{"age": 4} 5', '{"age": 4} ', True),
        ('{"age": 4', '{"age": 4', True),
    ],
)
def test_the_form_of_an_answer(text: str, passed: str, cut: bool) -> None:
    guard = guard_of(schema=SCHEMA, on="answers")
    found, why = streamed(guard, text, random.Random(3))
    assert (found, bool(why)) == (passed, cut)


def test_an_answer_that_was_too_long_for_its_form_is_only_short() -> None:
    guard = guard_of(schema=SCHEMA, on="answers")
    assert streamed(guard, '{"age"', random.Random(3), whole=False) == ('{"age"', "")


def test_all_texts_of_a_conversation_are_read() -> None:
    messages = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "tool_calls": [{"function": {"name": "two", "arguments": "three"}}]},
    ]
    tools = [{"function": {"name": "four", "parameters": {"properties": {"five": {}}}}}]
    found = list(texts_of(messages, tools, {"six": ["seven"]}))
    assert found == ["one", "two", "three", "four", "five", "six", "seven"]


@pytest.mark.parametrize(
    ("rule", "place", "reason"),
    [
        ({}, ("rules", 0, "name"), "one of words"),
        ({"words": ["a"], "regex": "a"}, ("rules", 0, "name"), "one of words"),
        ({"regex": "("}, ("rules", 0, "regex"), "ends too early|without"),
        ({"regex": "a*"}, ("rules", 0, "regex"), "every text"),
        ({"words": ["a", "!"]}, ("rules", 0, "words", 1), "no letter"),
        ({"words": []}, ("rules", 0, "words"), "no words"),
        ({"words": "a"}, ("rules", 0), "type"),
        ({"words": ["a"], "on": "all"}, ("rules", 0, "on"), "prompts, answers or both"),
        ({"words": ["a"], "action": "warn"}, ("rules", 0, "action"), "refuse or count"),
        ({"words": ["a"], "colour": 1}, ("rules", 0, "colour"), "not known"),
        ({"words": ["a"], "message": "a\nb"}, ("rules", 0, "message"), "line"),
        ({"words": ["a"], "ignore_case": True}, ("rules", 0, "ignore_case"), "regex"),
        ({"schema": SCHEMA}, ("rules", 0, "on"), "answers"),
        ({"schema": {"pattern": "x"}, "on": "answers"}, ("rules", 0), "schema"),
        ({"characters": 0}, ("rules", 0, "characters"), "positive"),
    ],
)
def test_mistakes_are_named_with_their_place(
    rule: dict[str, object], place: tuple[str | int, ...], reason: str
) -> None:
    with pytest.raises(GuardError, match=reason) as refusal:
        guard_of(**rule)
    assert refusal.value.place == place


@pytest.mark.parametrize("content", [None, [], {}, {"rules": []}, {"rules": [3]}, {"rules": {}}])
def test_what_is_no_list_of_rules_is_refused(content: object) -> None:
    with pytest.raises(GuardError):
        Guard.of(content)


def test_names_are_unique() -> None:
    with pytest.raises(GuardError, match="another rule"):
        Guard.of({"rules": [{"name": "a", "words": ["x"]}, {"name": "a", "words": ["y"]}]})
