"""Work of the step ``evidence``, in a worker: measurements, statements, documents."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import studio
from studio.api import UsageError
from studio.documents.dataclass_json import to_json
from studio.evidence.bom.cyclonedx import VERSIONS, cyclonedx
from studio.evidence.bom.facts import bom_of
from studio.evidence.bom.spdx import spdx
from studio.evidence.dossier.card import model_card
from studio.evidence.dossier.document import dossier_json
from studio.evidence.dossier.model_facts import model_facts
from studio.evidence.dossier.operation_facts import operation_facts
from studio.evidence.dossier.outline import Dossier, outline
from studio.evidence.dossier.page import dossier_page, frameworks_page
from studio.evidence.dossier.pdf import dossier_pdf
from studio.evidence.dossier.quality_facts import quality_facts
from studio.evidence.dossier.statement import Material
from studio.evidence.folder.manifest import FORMAT, MANIFEST, EvidenceList, files_of
from studio.evidence.frameworks.catalogue import frameworks
from studio.evidence.measurements import (
    CORRUPTED_FILE,
    DRAWING_FILE,
    MAPS_FILE,
    SAMPLES_FILE,
    Measured,
    measured,
)
from studio.evidence.record import FOLDER
from studio.evidence.records.files import REQUEST_FILE, write_record, write_records
from studio.evidence.records.request import MeasurementRequest
from studio.evidence.results import EvidenceResult
from studio.evidence.step import EvidenceOptions
from studio.evidence.verify import FIGURES, figure_text
from studio.jobs import Job
from studio.registry import file_digest, folder_digest

_BOMS = {"1.6": "bom.cdx.json", "1.7": "bom-1.7.cdx.json"}


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
    _write_measured(found, options, material)
    statements = [
        *model_facts(material),
        *quality_facts(material, found),
        *operation_facts(material),
    ]
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
    _write_documents(dossier, material, options)
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


def _write_measured(found: Measured, options: EvidenceOptions, material: Material) -> None:
    """Write the results of the measurements with their raw values."""
    data = options.data
    if data is not None and found.groups is not None:
        material.data_digest = folder_digest(data) if data.is_dir() else file_digest(data)
        material.data_name = data.name
        material.samples = found.groups.samples
        material.files[SAMPLES_FILE] = "label, answer and figure of each sample"
    if found.robustness is not None:
        material.files[CORRUPTED_FILE] = "figure of each sample under each corruption"
    if found.explanations is not None:
        material.files[MAPS_FILE] = "maps of the explanations"
        material.files[DRAWING_FILE] = "maps drawn over their samples"
    request = MeasurementRequest(
        material.data_name,
        material.data_digest,
        options.samples,
        options.by,
        options.explanations,
        found.evaluations or options.evaluations,
        found.robustness.samples if found.robustness is not None else 0,
    )
    write_record(material.folder / REQUEST_FILE, to_json(request))
    material.files[REQUEST_FILE] = "options of the measurements"
    results = {
        "groups": ("quality by group, intervals and calibration", found.groups),
        "robustness": ("quality on corrupted samples", found.robustness),
        "explanations": ("explained scores, with curves and checks", found.explanations),
    }
    for name, (title, result) in results.items():
        if result is not None:
            write_record(material.folder / "records" / f"{name}.json", to_json(result))
            material.files[f"records/{name}.json"] = title


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
        FIGURES: "figures, with what each follows from",
        **{name: f"bill of materials, CycloneDX {one}" for one, name in _BOMS.items()},
        "bom.spdx.json": "bill of materials, SPDX 3.0.1",
        MANIFEST: "list of all files with their SHA-256",
    }


def _write_documents(dossier: Dossier, material: Material, options: EvidenceOptions) -> None:
    bom = bom_of(dossier, material)
    texts = {
        "dossier.html": dossier_page(dossier),
        "dossier.json": dossier_json(dossier),
        "frameworks.html": frameworks_page(dossier),
        "model-card.md": model_card(dossier),
        FIGURES: figure_text(dossier.figures),
        "bom.spdx.json": spdx(bom),
        **{_BOMS[version]: cyclonedx(bom, version) for version in VERSIONS},
    }
    for name, text in texts.items():
        (material.folder / name).write_text(text, encoding="utf-8")
    (material.folder / "dossier.pdf").write_bytes(dossier_pdf(dossier, material.folder))


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
