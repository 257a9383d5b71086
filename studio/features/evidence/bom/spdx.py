"""The model and its data in SPDX 3.0.1 (JSON-LD), by its profiles of AI and of datasets."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

from studio.features.evidence.bom.parts import AppPart, DataPart, ModelBom, number
from studio.features.evidence.results import Figure

CONTEXT = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
_CREATION = "_:creation"
_PROFILES = ("core", "software", "ai", "dataset")
_RELATION = {"evaluation": "testedOn", "calibration": "trainedOn"}
"""Calibration is part of what made the variant, as training is of what made its original."""


def spdx(bom: ModelBom) -> str:
    """Return the document; equal records give equal bytes."""
    document = {"@context": CONTEXT, "@graph": list(_graph(bom))}
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def _graph(bom: ModelBom) -> Iterator[dict[str, Any]]:
    agent = _id(bom, "agent")
    yield {
        "type": "CreationInfo",
        "@id": _CREATION,
        "specVersion": "3.0.1",
        "created": bom.created.replace("+00:00", "Z"),
        "createdBy": [agent],
        "createdUsing": [_id(bom, f"tool/{name}") for name in bom.tools],
    }
    yield _element(bom, "SoftwareAgent", "agent", name="Edgewright")
    for name, version in bom.tools.items():
        yield _element(bom, "Tool", f"tool/{name}", name=f"{name} {version}")
    model = _model(bom)
    data = [_dataset(bom, part) for part in bom.data]
    parents = [_parent(bom, name, digest) for name, digest in bom.parents]
    app = [] if bom.app is None else list(_application(bom, bom.app))
    yield from (*app, model, *data, *parents)
    relations = [*_relations(bom), *_licences(bom)]
    yield from relations
    elements = [one["spdxId"] for one in (*app, model, *data, *parents, *relations)]
    yield _element(
        bom,
        "SpdxDocument",
        "document",
        name=f"{bom.name} {bom.version}",
        rootElement=[(*app, model)[0]["spdxId"]],
        element=elements,
        profileConformance=list(_PROFILES),
    )


def _model(bom: ModelBom) -> dict[str, Any]:
    about: dict[str, Any] = {
        "name": bom.name,
        "software_packageVersion": bom.version,
        "software_primaryPurpose": "model",
        "verifiedUsing": [_hash(bom.subject.digest)],
        "ai_typeOfModel": [bom.task or "not known"],
        "ai_hyperparameter": [
            _entry("format", bom.format),
            _entry("precision", bom.precision),
        ],
        "ai_metric": [_entry(one.title, _value(one)) for one in (*bom.quality, *bom.groups)],
        # The schema wants dates and places of every package; none of these is a claim.
        "builtTime": bom.created.replace("+00:00", "Z"),
        "releaseTime": bom.created.replace("+00:00", "Z"),
        "suppliedBy": _id(bom, "agent"),
        "software_downloadLocation": "urn:spdx:NOASSERTION",
    }
    texts = {
        "ai_limitation": bom.answers.get("limitations"),
        "ai_informationAboutApplication": bom.answers.get("intended.use"),
        "ai_informationAboutTraining": bom.answers.get("data.training"),
    }
    about |= {name: text for name, text in texts.items() if text}
    return _element(bom, "ai_AIPackage", "model", **about)


def _application(bom: ModelBom, app: AppPart) -> Iterator[dict[str, Any]]:
    """Yield the package of the app, those of its further models, and what contains what."""
    yield _element(
        bom,
        "software_Package",
        "app",
        name=app.name,
        summary=app.title or app.name,
        software_packageVersion=bom.version,
        software_primaryPurpose="application",
        verifiedUsing=[_hash(app.digest)],
    )
    for name, digest in app.further:
        about = {"verifiedUsing": [_hash(digest)]} if digest else {}
        yield _element(
            bom,
            "software_Package",
            f"app-model/{name}",
            name=name,
            software_primaryPurpose="model",
            **about,
        )
    for part in ("model", *(f"app-model/{name}" for name, _ in app.further)):
        yield _relation(bom, "app", "contains", part)


def _value(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return number(figure.value)
    return f"{number(figure.value)} [{number(figure.low)}, {number(figure.high)}]"


def _dataset(bom: ModelBom, part: DataPart) -> dict[str, Any]:
    at = bom.created.replace("+00:00", "Z")
    about: dict[str, Any] = {
        "name": part.name,
        "software_primaryPurpose": "data",
        "dataset_datasetType": ["noAssertion"],
        "builtTime": at,
        "releaseTime": at,
        "originatedBy": [_id(bom, "agent")],
        "software_downloadLocation": "urn:spdx:NOASSERTION",
    }
    if part.digest:
        about["verifiedUsing"] = [_hash(part.digest)]
    if part.samples is not None:
        about["dataset_datasetSize"] = part.samples
    return _element(bom, "dataset_DatasetPackage", f"data/{part.role}", **about)


def _parent(bom: ModelBom, name: str, digest: str) -> dict[str, Any]:
    return _element(
        bom,
        "software_Package",
        f"parent/{name}",
        name=name,
        software_primaryPurpose="model",
        verifiedUsing=[_hash(digest)],
    )


def _relations(bom: ModelBom) -> Iterator[dict[str, Any]]:
    for part in bom.data:
        yield _relation(bom, "model", _RELATION[part.role], f"data/{part.role}")
    chain = ["model", *(f"parent/{name}" for name, _ in bom.parents)]
    for one, made_of in itertools.pairwise(chain):
        yield _relation(bom, one, "descendantOf", made_of)


def _licences(bom: ModelBom) -> Iterator[dict[str, Any]]:
    if bom.licence:
        text = bom.licence
        yield _element(
            bom, "simplelicensing_SimpleLicensingText", "licence", simplelicensing_licenseText=text
        )
        for kind in ("hasDeclaredLicense", "hasConcludedLicense"):
            yield _relation(bom, "model", kind, "licence")


def _relation(bom: ModelBom, one: str, kind: str, other: str) -> dict[str, Any]:
    return _element(
        bom,
        "Relationship",
        f"{one}-{kind}-{other}",
        **{"from": _id(bom, one), "relationshipType": kind, "to": [_id(bom, other)]},
    )


def _element(bom: ModelBom, kind: str, key: str, /, **about: Any) -> dict[str, Any]:
    return {"type": kind, "spdxId": _id(bom, key), "creationInfo": _CREATION, **about}


def _id(bom: ModelBom, name: str) -> str:
    return bom.identity(f"spdx/{name}").urn


def _hash(digest: str) -> dict[str, str]:
    return {"type": "Hash", "algorithm": "sha256", "hashValue": digest}


def _entry(key: str, value: str) -> dict[str, str]:
    return {"type": "DictionaryEntry", "key": key, "value": value}
