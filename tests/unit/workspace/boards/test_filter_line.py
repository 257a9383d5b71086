"""The filter line: words of each kind, wrong words in one sentence, groups that are clicked."""

from __future__ import annotations

import pytest

from studio.api import UsageError
from studio.workspace.boards.filter_line import BoardFilter, read_filter, toggled


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("", BoardFilter({})),
        ("cam", BoardFilter({}, name="cam")),
        ("name:cam-7", BoardFilter({}, name="cam-7")),
        ("site=north line=3", BoardFilter({"site": "north", "line": "3"})),
        ("label:site=north", BoardFilter({"site": "north"})),
        ('site="hall 3"', BoardFilter({"site": "hall 3"})),
        ("site=", BoardFilter({"site": ""})),
        ("release:3fa9 model:digits", BoardFilter({}, "3fa9", "digits")),
        ("state:not-ready,silent", BoardFilter({}, states=("not ready", "silent"))),
        ("state:good state:silent", BoardFilter({}, states=("good", "silent"))),
        ("alert:drift  cam", BoardFilter({}, alert="drift", name="cam")),
        ('"', BoardFilter({}, name="")),
    ],
)
def test_a_line_is_a_filter(line: str, wanted: BoardFilter) -> None:
    assert read_filter(line) == wanted


@pytest.mark.parametrize(
    "line",
    ["state:happy", "state:", "=north", "label:site", "label:", "cam roof", "model:a model:b"],
)
def test_a_wrong_word_is_one_sentence(line: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_filter(line)
    assert caught.value.message.count(".") == 1


@pytest.mark.parametrize(
    ("by", "group", "word"),
    [
        ("release", "ab" * 32, "release:abababababab"),
        ("model", "my model", 'model:"my model"'),
        ("state", "not ready", "state:not-ready"),
        ("site", "north", "site=north"),
        ("site", "(none)", "site="),
    ],
)
def test_a_clicked_group_filters_and_a_second_click_ends_it(by: str, group: str, word: str) -> None:
    line = toggled("cam", by, group)
    assert line == f"cam {word}"
    assert toggled(line, by, group) == "cam"


def test_another_group_replaces_the_first() -> None:
    assert toggled("state:good cam", "state", "silent") == "cam state:silent"


@pytest.mark.parametrize(("by", "group"), [("site", "(others)"), ("model", "(none)")])
def test_groups_without_a_value_of_their_own_change_nothing(by: str, group: str) -> None:
    assert toggled("cam", by, group) == "cam"
