"""The published schema of recipes: made from the catalogue, and as strict as the studio."""

from __future__ import annotations

import json
import tomllib

import jsonschema
import pytest

from studio.pipelines.schema import FILE, schema, text
from studio.samples.catalogue import samples
from studio.settings import resource

AGAIN = "make it anew: python -m studio.pipelines.schema > resources/schemas/recipe.schema.json"


def test_the_published_schema_is_that_of_the_catalogue() -> None:
    assert resource(*FILE).read_text(encoding="utf-8") == text(), AGAIN


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(schema())
    return jsonschema.Draft202012Validator(json.loads(text()))


@pytest.mark.parametrize("name", sorted(samples()))
def test_the_samples_are_valid(name: str, validator: jsonschema.Draft202012Validator) -> None:
    table = tomllib.loads((samples()[name].folder / "recipe.toml").read_text(encoding="utf-8"))
    assert list(validator.iter_errors(table)) == []


STEP = {"step": "open", "model": "m.onnx"}


@pytest.mark.parametrize(
    "document",
    [
        {"recipe": {}, "steps": [STEP]},
        {"recipe": {"name": "r"}, "steps": []},
        {"recipe": {"name": "r"}, "steps": [{**STEP, "modell": "x"}]},
        {"recipe": {"name": "r"}, "steps": [{"step": "none"}]},
        {"recipe": {"name": "r"}, "steps": [{"step": "open"}]},
        {"recipe": {"name": "r"}, "steps": [{**STEP, "fresh": "yes"}]},
        {"recipe": {"name": "r"}, "steps": [STEP], "gates": [{"name": "g", "value": "${a.b}"}]},
        {
            "recipe": {"name": "r"},
            "steps": [STEP],
            "gates": [{"name": "g", "kind": "x", "of": "a"}],
        },
    ],
)
def test_what_the_studio_refuses_the_schema_refuses(
    document: dict[str, object], validator: jsonschema.Draft202012Validator
) -> None:
    assert list(validator.iter_errors(document))
