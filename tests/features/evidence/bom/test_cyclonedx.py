"""Bills of materials against the schemas that the maintainers of CycloneDX publish."""

from __future__ import annotations

import json

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from studio.features.evidence.bom.cyclonedx import VERSIONS, cyclonedx
from studio.features.evidence.bom.parts import ModelBom
from tests.features.evidence.bom.made import APP, BOM, EMPTY

SCHEMAS = {"1.6": SchemaVersion.V1_6, "1.7": SchemaVersion.V1_7}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("bom", [BOM, APP, EMPTY], ids=["all", "app", "nothing"])
def test_a_document_fits_the_published_schema(version: str, bom: ModelBom) -> None:
    error = JsonStrictValidator(SCHEMAS[version]).validate_str(cyclonedx(bom, version))
    assert error is None, str(error)[:500]


def test_the_schema_refuses_a_key_that_it_does_not_know() -> None:
    document = json.loads(cyclonedx(BOM, "1.6"))
    document["metadata"]["component"]["modelCard"]["quality"] = 1
    assert JsonStrictValidator(SCHEMAS["1.6"]).validate_str(json.dumps(document)) is not None


def test_figures_groups_and_answers_are_in_the_model_card() -> None:
    card = json.loads(cyclonedx(BOM, "1.6"))["metadata"]["component"]["modelCard"]
    all_samples, group = card["quantitativeAnalysis"]["performanceMetrics"]
    assert all_samples["value"] == "0.9978"
    assert all_samples["confidenceInterval"] == {"lowerBound": "0.987", "upperBound": "0.9996"}
    assert group["slice"] == "label 7"
    assert group["type"] == "Top-1 accuracy"
    assert card["considerations"]["useCases"] == [BOM.answers["intended.use"]]
    references = {one["ref"] for one in card["modelParameters"]["datasets"]}
    components = json.loads(cyclonedx(BOM, "1.6"))["components"]
    assert references == {one["bom-ref"] for one in components if one["type"] == "data"}


def test_an_app_depends_on_its_models() -> None:
    document = json.loads(cyclonedx(APP, "1.6"))
    assert document["metadata"]["component"]["name"] == "gate"
    named = {one["bom-ref"]: one["name"] for one in document["components"]}
    first = document["dependencies"][0]
    assert [named[one] for one in first["dependsOn"]] == ["digits:int8", "reader", "x"]


def test_equal_records_give_equal_bytes() -> None:
    assert cyclonedx(BOM, "1.7") == cyclonedx(BOM, "1.7")
