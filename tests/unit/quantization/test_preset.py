"""Presets from arguments and from texts; what is wrong in one is said with its place."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.api import Kind, Option, UsageError
from studio.quantization.preset import Preset
from studio.quantization.preset_text import PresetText, write

DEFAULTS = {"method": "static-int8", "calibration": "activation-aware", "samples": 128, "keep": []}
OPTIONS = (
    Option("keep", many=True),
    Option("wide", many=True),
    Option("percentile", Kind.NUMBER, maximum=100),
)


def preset(text: str, **given: int) -> Preset:
    return Preset.of(text, "mine.toml", {**DEFAULTS, **given})


def test_arguments_alone() -> None:
    found = Preset.of(None, "", {**DEFAULTS, "keep": ["dense"]})
    assert found.to_json() == {**DEFAULTS, "keep": ["dense"]}


def test_a_text_overrides_defaults() -> None:
    found = preset('method = "fp16"\nsamples = 8\npercentile = 99.9\n')
    assert (found.method, found.samples) == ("fp16", 8)
    assert found.options["percentile"] == 99.9


def test_what_was_given_wins_over_the_text() -> None:
    assert preset("samples = 8", samples=64).samples == 64


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("\nsamples = 0", r"mine\.toml, line 2, column 1: Samples must be at least 1"),
        ("method = ", r"mine\.toml, line 1, column 10: this is not TOML: invalid value\."),
        ("title = 7", r"line 1, column 1: title must be a text"),
        ('layers = "x"', r"layers must be a table"),
        (
            '[layers]\n"a/*" = "int3"',
            r"line 2, column 1: the precision of a layer must be one of.*float, a16w8.*not 'int3'",
        ),
    ],
)
def test_a_text_that_makes_no_sense(text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        preset(text)


def test_only_what_the_transform_knows_is_kept() -> None:
    found = preset("percentile = 99.0").for_transform(OPTIONS)
    assert found.options == {"keep": [], "percentile": 99.0}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "# a note\npercentil = 99.0",
            r"mine\.toml, line 2, column 1: unknown key 'percentil'; "
            r"the nearest is 'percentile'\.",
        ),
        ("zzz = 1", r"line 1, column 1: unknown key 'zzz'\."),
        ("x = 1\n[zzz]", r"line 1, column 1: unknown key 'x'"),
        ("[zzz]\nx = 1", r"line 1, column 2: unknown key 'zzz'"),
        ("percentile = 101", r"line 1, column 1: Percentile must be at most 100"),
    ],
)
def test_a_key_or_value_that_the_transform_does_not_know(text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        preset(text).for_transform(OPTIONS)


def test_layers_become_what_the_transform_calls_them() -> None:
    found = preset('keep = ["a"]\n[layers]\n"b*" = "float"\nc = "a16w8"').for_transform(OPTIONS)
    assert found.options == {"keep": ["a", "b*"], "wide": ["c"]}


def test_a_precision_that_the_method_cannot_make() -> None:
    with pytest.raises(UsageError, match="line 2, column 1: static-int8 cannot make a layer a16w8"):
        preset("[layers]\nc = 'a16w8'").for_transform(OPTIONS[:1])


def test_the_text_of_a_preset_asks_for_the_same() -> None:
    text = 'title = "T"\nmethod = "static-int8"\npercentile = 99.5\n[layers]\n"b" = "float"'
    first = preset(text, samples=7).for_transform(OPTIONS)
    again = preset(first.to_text()).for_transform(OPTIONS)
    assert again.to_json() == first.to_json()
    assert again.source.values["title"] == "T"


def test_one_value_is_replaced_and_the_rest_stays_as_written() -> None:
    text = '# why\nmethod = "a"  # here\n\n[layers]\n"x" = "float"\n'
    source = PresetText.read(text)
    assert source.with_value("method", "b") == text.replace('"a"  # here', '"b"')
    assert source.with_value("n", 3) == text.replace("\n\n[", "\nn = 3\n\n[")


def test_a_value_over_several_lines_is_replaced_too() -> None:
    source = PresetText.read('keep = [\n  "a",\n]\nn = 1\n')
    assert tomllib.loads(source.with_value("keep", ["b"])) == {"keep": ["b"], "n": 1}


_VALUES = st.one_of(
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.text("ab é\"'\\\n\t*/", max_size=8),
    st.lists(st.text("ab*/\"'\\", max_size=4), max_size=3),
)


@given(st.dictionaries(st.text("abc_", min_size=1, max_size=6), _VALUES, max_size=4))
def test_what_is_written_can_be_read(values: dict[str, object]) -> None:
    assert tomllib.loads(write(values)) == values
