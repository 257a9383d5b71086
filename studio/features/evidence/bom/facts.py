"""The bill of materials of a dossier."""

from __future__ import annotations

from collections.abc import Iterator

from studio.documents.dataclass_json import JsonValue
from studio.features.evidence.bom.parts import AppPart, DataPart, ModelBom
from studio.features.evidence.dossier.outline import Dossier
from studio.features.evidence.dossier.statement import Material
from studio.features.evidence.frameworks.subjects import FORM, subjects
from studio.features.evidence.results import PRESENT, Figure
from studio.models.results import ModelFigures

_MOST_OPERATORS = 10


def bom_of(dossier: Dossier, material: Material, app: AppPart | None = None) -> ModelBom:
    """Return the facts of a dossier that bills of materials state."""
    records = material.records
    found = ModelFigures.read(records.variant.summary)
    made_of = records.ancestors[1:]
    return ModelBom(
        subject=dossier.subject,
        created=dossier.created,
        format=records.variant.ref.format,
        precision=records.variant.ref.precision,
        bytes=found.bytes,
        licence=records.project.licence or found.licence,
        task=records.project.task or "",
        inputs=found.inputs,
        outputs=found.outputs,
        operators=tuple(found.operators)[:_MOST_OPERATORS],
        data=tuple(_data(material)),
        parents=tuple((one.variant, one.digest) for one in made_of),
        quality=_figures(dossier, "quality.metrics"),
        groups=_figures(dossier, "quality.groups"),
        energy=_figures(dossier, "energy"),
        answers=_answers(dossier),
        tools=dossier.tools,
        app=app,
    )


def _figures(dossier: Dossier, subject: str) -> tuple[Figure, ...]:
    return dossier.statements[subject].figures


def _answers(dossier: Dossier) -> dict[str, str]:
    asked = [one.id for one in subjects().values() if one.source == FORM]
    return {
        name: dossier.statements[name].paragraphs[0]
        for name in asked
        if dossier.statements[name].state == PRESENT
    }


def _data(material: Material) -> Iterator[DataPart]:
    if material.data_digest:
        yield DataPart(material.data_name, "evaluation", material.data_digest, material.samples)
    made = material.records.ancestors[0]
    digest, name = made.inputs.get("data", ""), _name(made.options.get("data"))
    if made.step == "quantize" and digest:
        yield DataPart(name or "calibration data", "calibration", digest)


def _name(path: JsonValue) -> str:
    return path.rpartition("/")[2] if isinstance(path, str) else ""
