"""The files of a dossier with the results of its measurements and their raw values."""

from __future__ import annotations

from studio.documents.dataclass_json import to_json
from studio.features.evidence.dossier.statement import Material
from studio.features.evidence.measurements import (
    CORRUPTED_FILE,
    DRAWING_FILE,
    MAPS_FILE,
    SAMPLES_FILE,
    Measured,
)
from studio.features.evidence.records.files import REQUEST_FILE, write_record
from studio.features.evidence.records.request import MeasurementRequest
from studio.features.evidence.step import EvidenceOptions
from studio.registry import file_digest, folder_digest


def write_measured(found: Measured, options: EvidenceOptions, material: Material) -> None:
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
