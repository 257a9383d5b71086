"""Nodes of the project stay in float in addition to those of the preset."""

from __future__ import annotations

import pytest

from studio.api import Option
from studio.quantization.float_nodes import with_float_nodes
from studio.quantization.preset import Preset

KEEP = Option("keep", default=(), many=True)


def preset(text: str = "", *options: Option) -> Preset:
    return Preset.of(text).for_transform(options or (KEEP,))


def test_they_are_added_to_those_of_the_preset() -> None:
    made, note = with_float_nodes(preset("keep = ['Conv']\n"), ["fc"], {"fc", "conv"})
    assert made.options["keep"] == ["Conv", "fc"]
    assert note == ""


def test_a_name_with_the_characters_of_a_pattern_is_one_name() -> None:
    made, _ = with_float_nodes(preset(), ["a[0]*"], {"a[0]*", "a0b"})
    assert made.options["keep"] == ["a[[]0][*]"]


def test_names_that_the_model_lacks_are_ignored_with_a_sentence() -> None:
    made, note = with_float_nodes(preset(), ["a", "b", "c", "d", "fc"], {"fc"})
    assert made.options["keep"] == ["fc"]
    assert note == "Not in this model, so not kept in float: a, b, c and 1 more."


def test_a_method_that_keeps_none_gives_a_sentence() -> None:
    made, note = with_float_nodes(preset("", Option("other")), ["fc"], {"fc"})
    assert made.options == {}
    assert note == "static-int8 cannot keep nodes in float: fc."


@pytest.mark.parametrize("text", ["", "keep = ['Conv']\n"])
def test_without_names_nothing_changes(text: str) -> None:
    before = preset(text)
    assert with_float_nodes(before, (), {"fc"}) == (before, "")
