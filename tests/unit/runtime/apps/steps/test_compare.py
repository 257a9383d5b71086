"""Texts of objects compared with a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from studio.runtime.apps.settings import AppError, read_settings
from studio.runtime.apps.steps.compare import Compare, CompareSettings, number_in, read_list
from tests.unit.runtime.apps.parts import Context
from tests.unit.runtime.apps.walks import stamp, standing

PRICES = "facing,price\nA1,2.49\nA2,10.00\n"


def step(folder: Path, text: str = PRICES, **settings: Any) -> Compare:
    path = folder / "prices.csv"
    path.write_text(text, encoding="utf-8")
    given = {"file": str(path), "event": "price", "numbers": True, **settings}
    return Compare("price", read_settings(CompareSettings, given, "steps.price"), Context())


def events(one: Compare, rows: Sequence[Mapping[str, str]]) -> list[tuple[str, float, str]]:
    """Kind, second and value of each event, for the texts by the labels of one second each."""
    found = []
    for at, row in enumerate(rows):
        objects = standing([(0.0, 0.0)] * len(row), labels=list(row))
        objects = objects._replace(details=tuple({"text": text} for text in row.values()))
        found += one.process(stamp(float(at)), objects).events
    return [(event.kind, event.stamp.time, event.details["value"]) for event in found]


def test_a_price_that_differs_and_is_right_again_gives_two_events(tmp_path: Path) -> None:
    rows = [{"A1": one} for one in ("2.49", "2.99", "2.99", "2,49 €")]
    found = events(step(tmp_path), rows)
    assert found == [("price-differs", 1.0, "2.99"), ("price-ok", 3.0, "2.49")]


def test_a_price_that_is_right_from_the_beginning_is_no_event(tmp_path: Path) -> None:
    assert events(step(tmp_path), [{"A1": "2.49", "A2": "10"}] * 3) == []


def test_another_wrong_price_is_another_event(tmp_path: Path) -> None:
    rows = [{"A2": one} for one in ("10.01", "10.01", "11.00")]
    found = events(step(tmp_path), rows)
    assert found == [("price-differs", 0.0, "10.01"), ("price-differs", 2.0, "11")]


def test_what_cannot_be_read_and_what_the_list_lacks_changes_nothing(tmp_path: Path) -> None:
    rows = [{"A1": "2.99"}, {"A1": ""}, {"A1": "sale"}, {"Z9": "1.00"}, {"A1": "2.99"}]
    assert events(step(tmp_path), rows) == [("price-differs", 0.0, "2.99")]


def test_a_text_must_be_the_same_for_some_time(tmp_path: Path) -> None:
    rows = [{"A1": one} for one in ("2.49", "2.99", "2.49", "2.99", "2.99", "2.99")]
    assert events(step(tmp_path, for_s=2.0), rows) == [("price-differs", 5.0, "2.99")]


def test_values_count_the_results(tmp_path: Path) -> None:
    one = step(tmp_path)
    objects = standing([(0.0, 0.0)] * 2, labels=["A1", "A2"])
    objects = objects._replace(details=({"text": "2.49"}, {"text": "9"}))
    output = one.process(stamp(0.0), objects)
    assert output.value == {"ok": 1.0, "differs": 1.0}
    assert output.events[0].details == {
        "label": "A2",
        "text": "9",
        "value": "9",
        "expected": "10",
    }


def test_texts_that_are_no_numbers_are_compared_without_spaces_around(tmp_path: Path) -> None:
    one = step(tmp_path, "slot,plate\nA1, AB 12 \n", numbers=False)
    assert events(one, [{"A1": "AB  12"}, {"A1": "AB 1Z"}]) == [("price-differs", 1.0, "AB 1Z")]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2.49", "2.49"),
        ("2,49 €", "2.49"),
        ("€ 2.50", "2.5"),
        ("l2.O9", "12.09"),
        ("007", "7"),
        ("0.00", "0"),
        ("1 299,00", "1299"),
        ("2 for 3.50", None),
        ("sale", None),
        ("", None),
    ],
)
def test_the_number_in_a_text(text: str, number: str | None) -> None:
    assert number_in(text) == number


def test_columns_are_chosen_by_their_names(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("\ufeffprice,note,facing\n1.00,x,A1\n\n2.00,y,A2\n", encoding="utf-8")
    assert read_list(str(path), "facing", "price") == {"A1": "1.00", "A2": "2.00"}


@pytest.mark.parametrize(
    ("text", "settings", "sentence"),
    [
        ("facing\nA1\n", {}, "it has no column 2"),
        (PRICES, {"column": "cost"}, "it has no column 'cost'"),
        ("facing,price\nA1,free\n", {}, "has no text to compare for A1"),
        (PRICES, {"file": "/missing.csv"}, "/missing.csv cannot be used"),
        (PRICES, {"for_s": -1.0}, "for_s"),
    ],
)
def test_a_list_that_cannot_be_used_is_a_sentence(
    tmp_path: Path, text: str, settings: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(AppError, match=sentence):
        step(tmp_path, text, **settings)
