"""Options as data: what fits, what does not, and the sentence."""

from __future__ import annotations

from typing import Any

import pytest

from studio.api import Kind, Option, UsageError, validate
from studio.api.options import by_name

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


RENAMED = (
    Option("preset", Kind.PRESET, aliases=("recipe",)),
    Option("quality", Kind.FLAG, False, spelling="trial"),
)


def test_former_names_and_spellings_are_accepted() -> None:
    wanted = {"preset": "int8", "quality": True}
    for given in (
        {"preset": "int8", "trial": True},
        {"recipe": "int8", "quality": True},
        {"recipe": "int8", "preset": None, "trial": "yes"},
    ):
        assert validate(RENAMED, given) == wanted
    assert by_name(RENAMED, {"recipe": "int8", "other": 1}) == {"preset": "int8", "other": 1}


def test_an_option_given_by_two_of_its_names_is_refused() -> None:
    with pytest.raises(UsageError, match="'recipe' and 'preset' are the same option"):
        validate(RENAMED, {"recipe": "int8", "preset": "fp16"})


def test_what_an_option_is_called_where() -> None:
    preset, trial = RENAMED
    assert (preset.flag, preset.former_flags, preset.first_name) == (
        "--preset",
        ("--recipe",),
        "recipe",
    )
    assert (trial.flag, trial.former_flags, trial.first_name) == (
        "--trial",
        ("--quality",),
        "quality",
    )


def test_the_former_kind_is_the_same_member() -> None:
    assert Kind.RECIPE is Kind.PRESET
    assert Kind("recipe") is Kind.PRESET is Kind("preset")
    with pytest.raises(ValueError, match="'unknown' is not a valid Kind"):
        Kind("unknown")


def test_former_names_give_one_note_for_the_whole_process(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.api.options._noted", set())
    by_name(RENAMED, {"recipe": "a"}, stored=True)
    assert not caplog.records
    for _ in range(3):
        validate(RENAMED, {"recipe": "a"})
    assert [record.getMessage() for record in caplog.records] == [
        "The name recipe is deprecated; use preset."
    ]
