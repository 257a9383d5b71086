"""Options as data: what fits, what does not, and the sentence."""

from __future__ import annotations

from typing import Any

import pytest

from studio.api import Kind, Option, UsageError, validate

OPTIONS = (
    Option("samples", Kind.INTEGER, 64, minimum=1, maximum=1000),
    Option("drop", Kind.NUMBER),
    Option("fast", Kind.FLAG, False),
    Option("method", Kind.CHOICE, "minmax", choices=("minmax", "entropy")),
    Option("keep", Kind.TEXT, many=True),
)


def test_defaults_fill_what_was_not_given() -> None:
    assert validate(OPTIONS, {"samples": None}) == {
        "samples": 64,
        "drop": None,
        "fast": False,
        "method": "minmax",
        "keep": None,
    }


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("samples", "8", 8),
        ("samples", 8.0, 8),
        ("drop", "1e-2", 0.01),
        ("fast", "yes", True),
        ("fast", "0", False),
        ("keep", "a", ["a"]),
        ("keep", ("a", "b"), ["a", "b"]),
    ],
)
def test_values_take_their_own_type(name: str, value: Any, wanted: Any) -> None:
    assert validate(OPTIONS, {name: value})[name] == wanted


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("samples", 0, "at least 1"),
        ("samples", 1001, "at most 1000"),
        ("samples", 1.5, "whole number"),
        ("samples", "inf", "whole number"),
        ("drop", "nan", "must be a number"),
        ("drop", [], "must be a number"),
        ("fast", "perhaps", "yes or no"),
        ("method", "magic", "one of minmax, entropy"),
    ],
)
def test_the_sentence_says_what_fits(name: str, value: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        validate(OPTIONS, {name: value})


def test_a_required_value_is_asked_for() -> None:
    with pytest.raises(UsageError, match="Missing option Model") as raised:
        validate((Option("model", Kind.MODEL, required=True),), {})
    assert raised.value.hint == "Pass --model."


def test_the_flag_of_an_option() -> None:
    assert Option("first_wave", Kind.INTEGER).flag == "--first-wave"
