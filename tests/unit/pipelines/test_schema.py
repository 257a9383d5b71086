"""The published schema of pipelines: made from the catalogue, and as strict as the studio."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

import pytest

from studio.pipelines.schema import FILE, FORMER_FILE, former_text, schema, text
from studio.samples.catalogue import samples
from studio.settings import resource

if TYPE_CHECKING:
    import jsonschema

FORMER = (
    "make it anew: python -c 'from studio.pipelines.schema import former_text; "
    'print(former_text(), end="")\' > resources/schemas/recipe.schema.json'
)
AGAIN = "make it anew: python -m studio.pipelines.schema > resources/schemas/pipeline.schema.json"


def test_the_published_schema_is_that_of_the_catalogue() -> None:
    assert resource(*FILE).read_text(encoding="utf-8") == text(), AGAIN


def test_the_file_of_the_former_name_refers_to_the_schema() -> None:
    assert resource(*FORMER_FILE).read_text(encoding="utf-8") == former_text(), FORMER
    assert json.loads(former_text())["$ref"] == FILE[-1]


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    import jsonschema  # its grammars take seconds to be made

    jsonschema.Draft202012Validator.check_schema(schema())
    return jsonschema.Draft202012Validator(json.loads(text()))


@pytest.mark.parametrize("name", sorted(samples()))
def test_the_samples_are_valid(name: str, validator: jsonschema.Draft202012Validator) -> None:
    table = tomllib.loads((samples()[name].folder / "pipeline.toml").read_text(encoding="utf-8"))
    assert list(validator.iter_errors(table)) == []


def test_the_former_names_are_valid(validator: jsonschema.Draft202012Validator) -> None:
    step = {"step": "quantize", "model": "m.onnx", "recipe": "int8"}
    assert list(validator.iter_errors({"recipe": {"name": "r"}, "steps": [step]})) == []
    both = {"recipe": {"name": "r"}, "pipeline": {"name": "r"}, "steps": [step]}
    assert list(validator.iter_errors(both))


STEP = {"step": "open", "model": "m.onnx"}


@pytest.mark.parametrize(
    "document",
    [
        {"pipeline": {}, "steps": [STEP]},
        {"pipeline": {"name": "r"}, "steps": []},
        {"pipeline": {"name": "r"}, "steps": [{**STEP, "modell": "x"}]},
        {"pipeline": {"name": "r"}, "steps": [{"step": "none"}]},
        {"pipeline": {"name": "r"}, "steps": [{"step": "open"}]},
        {"pipeline": {"name": "r"}, "steps": [{**STEP, "fresh": "yes"}]},
        {"pipeline": {"name": "r"}, "steps": [STEP], "gates": [{"name": "g", "value": "${a.b}"}]},
        {
            "pipeline": {"name": "r"},
            "steps": [STEP],
            "gates": [{"name": "g", "kind": "x", "of": "a"}],
        },
    ],
)
def test_what_the_studio_refuses_the_schema_refuses(
    document: dict[str, object], validator: jsonschema.Draft202012Validator
) -> None:
    assert list(validator.iter_errors(document))
