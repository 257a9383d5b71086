"""The published schema of pipelines: made from the catalogue, and as strict as the studio."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

import pytest

from studio.pipelines.schema import FILE, schema, text
from studio.samples.catalogue import samples
from studio.settings import resource

if TYPE_CHECKING:
    import jsonschema

AGAIN = "make it anew: python -m studio.pipelines.schema > resources/schemas/pipeline.schema.json"


def test_the_published_schema_is_that_of_the_catalogue() -> None:
    assert resource(*FILE).read_text(encoding="utf-8") == text(), AGAIN


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    import jsonschema  # its grammars take seconds to be made

    jsonschema.Draft202012Validator.check_schema(schema())
    return jsonschema.Draft202012Validator(json.loads(text()))


@pytest.mark.parametrize("name", sorted(samples()))
def test_the_samples_are_valid(name: str, validator: jsonschema.Draft202012Validator) -> None:
    table = tomllib.loads((samples()[name].folder / "pipeline.toml").read_text(encoding="utf-8"))
    assert list(validator.iter_errors(table)) == []


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
