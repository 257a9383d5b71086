"""The dossier as one JSON document, from which all other documents of a folder follow."""

from __future__ import annotations

import json
from dataclasses import replace

from studio.documents.dataclass_json import from_json, to_json
from studio.features.evidence.bom.parts import ModelBom
from studio.features.evidence.dossier.outline import Dossier
from studio.features.evidence.dossier.statement import Statement
from studio.features.evidence.folder.manifest import EvidenceList
from studio.features.evidence.frameworks.results import FrameworkCoverage
from studio.features.evidence.results import AssessedVersion
from studio.lazy_dataclass import dataclass

_IN_BOM = ("quality.metrics", "quality.groups", "energy")


@dataclass(frozen=True, slots=True)
class DossierDocument:
    """The content of ``dossier.json``.

    Attributes:
        files: Description of each file of the folder by its name.
        bom: What the bills of materials state.
    """

    subject: AssessedVersion
    created: str
    statements: tuple[Statement, ...]
    coverages: tuple[FrameworkCoverage, ...]
    files: dict[str, str]
    bom: ModelBom

    def dossier(self, manifest: EvidenceList) -> Dossier:
        """Return the dossier about the subject of a list, made by the tools of the list."""
        return Dossier(
            manifest.subject,
            manifest.created,
            manifest.tools,
            {one.subject: one for one in self.statements},
            self.coverages,
            self.files,
        )

    def bom_of(self, dossier: Dossier) -> ModelBom:
        """Return what bills of materials state, with the figures of a dossier."""
        quality, groups, energy = (dossier.statements[name].figures for name in _IN_BOM)
        return replace(
            self.bom,
            subject=dossier.subject,
            created=dossier.created,
            tools=dossier.tools,
            quality=quality,
            groups=groups,
            energy=energy,
        )


def dossier_json(dossier: Dossier, bom: ModelBom) -> str:
    """Return statements, chapters and coverages; equal dossiers give equal bytes."""
    document = {
        "subject": to_json(dossier.subject),
        "created": dossier.created,
        "statements": [to_json(one) for one in dossier.statements.values()],
        "chapters": to_json(dossier.chapters),
        "coverages": to_json(dossier.coverages),
        "files": to_json(dossier.files),
        "bom": to_json(bom),
    }
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def read_dossier(document: object) -> DossierDocument:
    """Return the content of ``dossier.json``.

    Raises:
        InvalidDocument: when it is no dossier.
    """
    return from_json(DossierDocument, document)
