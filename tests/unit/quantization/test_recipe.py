"""Recipes from arguments and from files."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.api import Kind, Option, UsageError
from studio.quantization.recipe import Recipe

DEFAULTS = {"method": "static-int8", "calibration": "activation-aware", "samples": 128, "keep": []}


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    return str(path)


def test_arguments_alone() -> None:
    recipe = Recipe.of({**DEFAULTS, "keep": ["dense"]})
    assert recipe.to_json() == {**DEFAULTS, "keep": ["dense"]}


def test_a_file_overrides_defaults(tmp_path: Path) -> None:
    text = 'method = "fp16"\nsamples = 8\npercentile = 99.9\n'
    recipe = Recipe.of({**DEFAULTS, "recipe": written(tmp_path, text)})
    assert (recipe.method, recipe.samples) == ("fp16", 8)
    assert recipe.options["percentile"] == 99.9


def test_what_was_given_wins_over_the_file(tmp_path: Path) -> None:
    arguments = {**DEFAULTS, "samples": 64, "recipe": written(tmp_path, "samples = 8")}
    assert Recipe.of(arguments).samples == 64


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("samples = 0", "Samples must be at least 1"),
        ('method = "magic"', "Method cannot be 'magic'"),
        ("method = ", "cannot be read as TOML"),
    ],
)
def test_a_file_that_makes_no_sense(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        Recipe.of({**DEFAULTS, "recipe": written(tmp_path, text)})


def test_only_what_the_transform_knows_is_kept(tmp_path: Path) -> None:
    options = (Option("keep", many=True), Option("percentile", Kind.NUMBER))
    recipe = Recipe.of({**DEFAULTS, "recipe": written(tmp_path, "percentile = 99.0")})
    assert recipe.for_transform(options).options == {"keep": [], "percentile": 99.0}
    with pytest.raises(UsageError, match="static-int8 has no option 'percentile'"):
        recipe.for_transform(options[:1])
