"""The model and its data in CycloneDX 1.6 and 1.7, with a model card.

The field names are those of the published JSON schema of CycloneDX, ``modelCard`` included.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from studio.features.evidence.bom.parts import AppPart, DataPart, ModelBom, number
from studio.features.evidence.results import Figure
from studio.models.results import Terminal

VERSIONS = ("1.6", "1.7")
_ROOT = "model"
_APP = "app"
_LISTED = ("limitations", "misuse")
"""Subjects whose texts are lists of limitations."""


def cyclonedx(bom: ModelBom, version: str) -> str:
    """Return the document of a version of the format; equal records give equal bytes."""
    document: dict[str, Any] = {
        "$schema": f"http://cyclonedx.org/schema/bom-{version}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": version,
        "serialNumber": bom.identity(f"cyclonedx-{version}").urn,
        "version": 1,
        "metadata": {
            "timestamp": bom.created,
            "tools": {"components": list(_tools(bom))},
            "component": _model(bom) if bom.app is None else _application(bom, bom.app),
        },
        "components": [
            *([] if bom.app is None else [_model(bom), *_further(bom, bom.app)]),
            *(_data(bom, one) for one in bom.data),
            *_parents(bom),
        ],
        "dependencies": _dependencies(bom),
    }
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def _tools(bom: ModelBom) -> Iterator[dict[str, Any]]:
    for name, version in bom.tools.items():
        yield {"type": "application", "name": name, "version": version}


def _model(bom: ModelBom) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": "machine-learning-model",
        "bom-ref": _ROOT,
        "name": bom.name,
        "version": bom.version,
        "hashes": [{"alg": "SHA-256", "content": bom.subject.digest}],
        "modelCard": _card(bom),
        "properties": [
            {"name": "edgewright:format", "value": bom.format},
            {"name": "edgewright:precision", "value": bom.precision},
            {"name": "edgewright:bytes", "value": str(bom.bytes)},
        ],
    }
    if bom.subject.bundle:
        row = {"name": "edgewright:manifest-sha256", "value": bom.subject.bundle}
        component["properties"].append(row)
    if bom.licence:
        component["licenses"] = [{"license": {"name": bom.licence}}]
    return component


def _card(bom: ModelBom) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "modelArchitecture": ", ".join(bom.operators) or "not known",
        "datasets": [{"ref": bom.reference("data", one.role)} for one in bom.data],
        "inputs": [{"format": _format(one)} for one in bom.inputs],
        "outputs": [{"format": _format(one)} for one in bom.outputs],
    }
    if bom.task:
        parameters["task"] = bom.task
    card: dict[str, Any] = {"bom-ref": "model-card", "modelParameters": parameters}
    metrics = [*map(_metric, bom.quality), *map(_sliced, bom.groups)]
    if metrics:
        card["quantitativeAnalysis"] = {"performanceMetrics": metrics}
    considerations = _considerations(bom)
    if considerations:
        card["considerations"] = considerations
    return card


def _format(end: Terminal) -> str:
    shape = "any shape" if end.shape is None else " x ".join(str(size or "?") for size in end.shape)
    return f"{end.name}: {end.dtype}, {shape or 'one value'}"


def _metric(figure: Figure) -> dict[str, Any]:
    metric: dict[str, Any] = {"type": figure.title, "value": number(figure.value)}
    if figure.low is not None and figure.high is not None:
        bounds = {"lowerBound": number(figure.low), "upperBound": number(figure.high)}
        metric["confidenceInterval"] = bounds
    return metric


def _sliced(figure: Figure) -> dict[str, Any]:
    """Return a metric of a group; the title of its figure is ``METRIC, GROUP``."""
    title, _, group = figure.title.partition(", ")
    return {**_metric(figure), "type": title, "slice": group}


def _considerations(bom: ModelBom) -> dict[str, Any]:
    answers = bom.answers
    found: dict[str, Any] = {
        "users": _texts(answers, ("roles",)),
        "useCases": _texts(answers, ("intended.use",)),
        "technicalLimitations": _texts(answers, _LISTED),
        "ethicalConsiderations": [
            {"name": text} for text in _texts(answers, ("risk.assessment", "impact.assessment"))
        ],
    }
    if bom.energy:
        texts = [f"{one.title}: {number(one.value)} {one.unit}" for one in bom.energy]
        rows = [{"name": "energy per inference", "value": text} for text in texts]
        found["environmentalConsiderations"] = {"properties": rows}
    return {name: value for name, value in found.items() if value}


def _texts(answers: Any, subjects: Sequence[str]) -> list[str]:
    return [answers[name] for name in subjects if answers.get(name)]


def _data(bom: ModelBom, part: DataPart) -> dict[str, Any]:
    about = {"type": "dataset", "name": part.name, "contents": {"properties": _counts(part)}}
    if part.description:
        about["description"] = part.description
    component: dict[str, Any] = {
        "type": "data",
        "bom-ref": bom.reference("data", part.role),
        "name": part.name,
        "description": f"Data of the {part.role}; not contained.",
        "data": [about],
    }
    if part.digest:
        component["hashes"] = [{"alg": "SHA-256", "content": part.digest}]
    return component


def _counts(part: DataPart) -> list[dict[str, str]]:
    rows = [{"name": "edgewright:role", "value": part.role}]
    if part.samples is not None:
        rows.append({"name": "edgewright:samples", "value": str(part.samples)})
    return rows


def _parents(bom: ModelBom) -> Iterator[dict[str, Any]]:
    for name, digest in bom.parents:
        yield {
            "type": "machine-learning-model",
            "bom-ref": bom.reference("model", name),
            "name": name,
            "hashes": [{"alg": "SHA-256", "content": digest}],
        }


def _application(bom: ModelBom, app: AppPart) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": "application",
        "bom-ref": _APP,
        "name": app.name,
        "version": bom.version,
        "description": app.title or app.name,
        "properties": [
            {"name": "edgewright:app-sha256", "value": app.digest},
            *({"name": "edgewright:own-code", "value": name} for name in app.own_code),
        ],
    }
    return component


def _further(bom: ModelBom, app: AppPart) -> Iterator[dict[str, Any]]:
    for name, digest in app.further:
        component: dict[str, Any] = {
            "type": "machine-learning-model",
            "bom-ref": bom.reference("app-model", name),
            "name": name,
        }
        if digest:
            component["hashes"] = [{"alg": "SHA-256", "content": digest}]
        yield component


def _dependencies(bom: ModelBom) -> list[dict[str, Any]]:
    """Return that an app depends on its models, and a variant on the one that it was made of."""
    rows = _chain(bom)
    if bom.app is None:
        return rows
    further = [bom.reference("app-model", name) for name, _ in bom.app.further]
    alone: list[dict[str, Any]] = [{"ref": one, "dependsOn": []} for one in further]
    return [{"ref": _APP, "dependsOn": [_ROOT, *further]}, *rows, *alone]


def _chain(bom: ModelBom) -> list[dict[str, Any]]:
    chain = [_ROOT, *(bom.reference("model", name) for name, _ in bom.parents)]
    return [
        {"ref": one, "dependsOn": chain[place + 1 : place + 2]} for place, one in enumerate(chain)
    ]
