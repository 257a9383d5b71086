"""Bills of materials against the bindings that are made of SPDX's own model (SHACL)."""

from __future__ import annotations

import io
import json

import pytest
from spdx_python_model import v3_0_1 as model

from studio.features.evidence.bom.parts import ModelBom
from studio.features.evidence.bom.spdx import spdx
from tests.features.evidence.bom.made import APP, BOM, EMPTY


def read(text: str) -> model.SHACLObjectSet:
    """Read a document as SPDX's bindings do, and write it again, which checks what is required."""
    objects = model.SHACLObjectSet()
    model.JSONLDDeserializer().read(io.StringIO(text), objects)
    model.JSONLDSerializer().write(objects, io.BytesIO())
    return objects


@pytest.mark.parametrize("bom", [BOM, APP, EMPTY], ids=["all", "app", "nothing"])
def test_a_document_is_read_by_the_bindings_without_open_references(bom: ModelBom) -> None:
    assert read(spdx(bom)).link() == set()


def test_a_model_is_tested_on_its_data_and_descends_from_its_parent() -> None:
    objects = read(spdx(BOM))
    kinds = {
        one.relationshipType.rpartition("/")[2] for one in objects.foreach_type("Relationship")
    }
    assert {"testedOn", "trainedOn", "descendantOf", "hasDeclaredLicense"} <= kinds
    package = next(iter(objects.foreach_type("ai_AIPackage")))
    assert next(one.value for one in package.ai_metric) == "0.9978 [0.987, 0.9996]"


def test_an_app_is_the_root_and_contains_its_models() -> None:
    objects = read(spdx(APP))
    document = next(iter(objects.foreach_type("SpdxDocument")))
    assert [one.name for one in document.rootElement] == ["gate"]
    contained = [
        one
        for one in objects.foreach_type("Relationship")
        if one.relationshipType.endswith("/contains")
    ]
    assert len(contained) == 3


@pytest.mark.parametrize(
    ("key", "value"),
    [("software_primaryPurpose", "toy"), ("unknown", 1)],
)
def test_the_bindings_refuse_what_the_model_does_not_allow(key: str, value: object) -> None:
    document = json.loads(spdx(BOM))
    package = next(one for one in document["@graph"] if one["type"] == "ai_AIPackage")
    package[key] = value
    with pytest.raises((ValueError, TypeError, KeyError)):
        read(json.dumps(document))
