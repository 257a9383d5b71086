"""Work of the step ``evidence``, in a worker: measurements, statements, documents."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import studio
from studio.api import UsageError
from studio.features.evidence.apps.app_dossier import app_part, with_app
from studio.features.evidence.bom.facts import bom_of
from studio.features.evidence.documents import BOMS, FIGURES, documents
from studio.features.evidence.dossier.market_facts import market_facts
from studio.features.evidence.dossier.model_facts import model_facts
from studio.features.evidence.dossier.operation_facts import operation_facts
from studio.features.evidence.dossier.outline import Dossier, outline
from studio.features.evidence.dossier.quality_facts import quality_facts
from studio.features.evidence.dossier.statement import Material, Statement
from studio.features.evidence.folder.manifest import FORMAT, MANIFEST, EvidenceList, files_of
from studio.features.evidence.frameworks.catalogue import frameworks
from studio.features.evidence.measured_files import write_measured
from studio.features.evidence.measurements import measured
from studio.features.evidence.record import FOLDER
from studio.features.evidence.records.files import write_records
from studio.features.evidence.results import EvidenceResult
from studio.features.evidence.step import EvidenceOptions
from studio.jobs import Job


def write(options: EvidenceOptions, job: Job) -> EvidenceResult:
    """Write the folder below ``job.folder``.

    Raises:
        UsageError: when a framework file is wrong.
        StudioError: when the model or its data cannot be read.
    """
    begin = time.monotonic()
    records = options.records
    if records is None:
        raise UsageError("The records of the subject are missing.")
    folder = job.folder / FOLDER
    folder.mkdir()
    material = Material(records, folder, studio.__version__)
    material.files.update(write_records(records, folder))
    found = measured(options, records, folder, job)
    write_measured(found, options, material)
    statements: tuple[Statement, ...] = (
        *model_facts(material),
        *quality_facts(material, found),
        *operation_facts(material),
        *market_facts(material),
    )
    if options.app_material is not None:
        statements = with_app(statements, options, options.app_material, material, job)
    job.progress(0.95, 1, "Writing the dossier")
    _with_model(options, material)
    _name_documents(material)
    dossier = outline(
        records.subject,
        options.created,
        records.tools,
        statements,
        options.answers,
        frameworks(options.framework),
        material.files,
        options.requests,
    )
    bom = bom_of(dossier, material, app_part(options.app_material))
    for name, content in documents(dossier, bom, folder):
        (folder / name).write_bytes(content)
    manifest = _list(dossier, folder, options)
    names = tuple(file.path for file in manifest.files)
    return EvidenceResult(
        records.subject,
        dossier.sections,
        (*names, MANIFEST),
        manifest.digest,
        len(dossier.figures),
        seconds=round(time.monotonic() - begin, 3),
    )


def _with_model(options: EvidenceOptions, material: Material) -> None:
    if options.with_model:
        path = Path(material.records.variant.ref.path)
        place = material.folder / "model"
        place.mkdir()
        if path.is_dir():
            shutil.copytree(path, place / path.name)
        else:
            shutil.copy(path, place / path.name)


def _name_documents(material: Material) -> None:
    """Add the documents to the list of files, which they show themselves."""
    material.files |= {
        "dossier.html": "the dossier as a page",
        "dossier.pdf": "the same for printing",
        "dossier.json": "the same as data",
        "frameworks.html": "sections of laws and standards, with their states",
        "model-card.md": "model card",
        "data-card.md": "data card",
        FIGURES: "figures, with what each follows from",
        **{name: f"bill of materials, CycloneDX {one}" for one, name in BOMS.items()},
        "bom.spdx.json": "bill of materials, SPDX 3.0.1",
        MANIFEST: "list of all files with their SHA-256",
    }


def _list(dossier: Dossier, folder: Path, options: EvidenceOptions) -> EvidenceList:
    names = [one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()]
    manifest = EvidenceList(
        FORMAT,
        dossier.subject,
        dossier.created,
        dict(dossier.tools),
        dossier.sections,
        files_of(folder, names),
    ).sealed()
    (folder / MANIFEST).write_text(manifest.text, encoding="utf-8")
    return manifest
