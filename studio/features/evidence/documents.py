"""The documents of an evidence folder: written of its dossier, and written again to verify them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

from studio.api import InvalidData
from studio.documents.dataclass_json import InvalidDocument, from_json, to_json
from studio.features.evidence.bom.cyclonedx import VERSIONS, cyclonedx
from studio.features.evidence.bom.parts import ModelBom
from studio.features.evidence.bom.spdx import spdx
from studio.features.evidence.dossier.card import data_card, model_card
from studio.features.evidence.dossier.document import dossier_json, read_dossier
from studio.features.evidence.dossier.outline import Dossier
from studio.features.evidence.dossier.page import dossier_page, frameworks_page
from studio.features.evidence.dossier.pdf import dossier_pdf
from studio.features.evidence.folder.manifest import MANIFEST, EvidenceList
from studio.features.evidence.recompute import EvidenceFolder
from studio.features.evidence.records.collect import tools
from studio.features.evidence.results import OTHER_VERSION, Alteration, Figure
from studio.lazy_dataclass import dataclass

log = logging.getLogger(__name__)

FIGURES = "figures.json"
DOSSIER = "dossier.json"
_PDF = "dossier.pdf"
_FIRST_ASIAN = "\u2e80"
"""First letter of those that the PDF has in a font of the system."""
BOMS = {"1.6": "bom.cdx.json", "1.7": "bom-1.7.cdx.json"}
_WRITERS = ("edgewright", "reportlab", "pillow", "zlib")
"""Programs whose other version may write other bytes."""


@dataclass(frozen=True, slots=True)
class FigureList:
    """The figures of an evidence folder, as ``figures.json`` holds them."""

    figures: tuple[Figure, ...]


def documents(dossier: Dossier, bom: ModelBom, folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each document; equal dossiers give equal bytes.

    Args:
        folder: Folder of the pictures.
    """
    bom = from_json(ModelBom, json.loads(json.dumps(to_json(bom), sort_keys=True)))
    texts = {
        FIGURES: json.dumps(to_json(FigureList(dossier.figures)), indent=1, sort_keys=True) + "\n",
        DOSSIER: dossier_json(dossier, bom),
        "dossier.html": dossier_page(dossier),
        "frameworks.html": frameworks_page(dossier),
        "model-card.md": model_card(dossier),
        "data-card.md": data_card(dossier),
        "bom.spdx.json": spdx(bom),
        **{BOMS[version]: cyclonedx(bom, version) for version in VERSIONS},
    }
    for name, text in texts.items():
        yield name, text.encode()
    yield _PDF, dossier_pdf(dossier, folder)


def altered_documents(folder: EvidenceFolder, manifest: EvidenceList) -> Iterator[Alteration]:
    """Yield the documents that do not follow from the statements of the dossier.

    The figures of the statements are those of ``figures.json``, which are computed again.
    """
    try:
        document = read_dossier(folder.json(DOSSIER))
        dossier = document.dossier(manifest)
        if dossier.sections != manifest.sections:
            yield Alteration(MANIFEST, f"other sections than {DOSSIER}")
        _read_pictures(folder, dossier)
        for name, content in documents(dossier, document.bom_of(dossier), folder.path):
            if folder.content(name) != content:
                yield Alteration(name, _difference(name, dossier, manifest))
    except (InvalidData, InvalidDocument) as error:
        yield Alteration(DOSSIER, f"not a dossier: {error}")
    except Exception:  # a stranger's statements reach every writer, reportlab among them
        log.warning("no document can be written of %s", folder.path, exc_info=True)
        yield Alteration(DOSSIER, "not a dossier: no document can be written of it")


def _read_pictures(folder: EvidenceFolder, dossier: Dossier) -> None:
    """Read each picture, so that none is outside the folder or a link."""
    for statement in dossier.statements.values():
        for picture in statement.pictures:
            folder.content(picture.file)


def _difference(name: str, dossier: Dossier, manifest: EvidenceList) -> str:
    """Return why a document is another one now: the version of its writer, or its content."""
    here = tools()
    others = [
        f"{writer} {manifest.tools.get(writer, '?')}"
        for writer in _WRITERS
        if manifest.tools.get(writer) != here.get(writer)
    ]
    if name == _PDF and max(dossier_page(dossier)) >= _FIRST_ASIAN:
        others.append("the fonts of its computer")
    if others:
        return f"{OTHER_VERSION} {', '.join(others)}"
    return f"does not follow from {DOSSIER} and {FIGURES}"
