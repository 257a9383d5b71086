"""Work of the step ``evidence-verify``, in a worker: bytes first, then figures."""

from __future__ import annotations

import json

from studio.api import InvalidData
from studio.documents.dataclass_json import InvalidDocument, from_json
from studio.evidence.folder.check import alterations
from studio.evidence.folder.manifest import Manifest
from studio.evidence.recompute import EvidenceFolder, checked
from studio.evidence.results import RECOMPUTED, CheckedFigure, Figure, VerifyResult
from studio.evidence.step import VerifyOptions
from studio.jobs import Job
from studio.jobs.phases import Phase
from studio.lazy_dataclass import dataclass

FIGURES = "figures.json"


@dataclass(frozen=True, slots=True)
class FigureList:
    """The figures of an evidence folder, as ``figures.json`` holds them."""

    figures: tuple[Figure, ...]


def verify(options: VerifyOptions, job: Job) -> VerifyResult:
    """Compare each file with the list, then compute each figure from the files.

    Raises:
        InvalidData: when the folder is no evidence, or is too damaged to be read.
    """
    folder = options.folder
    manifest = Manifest.read(folder)
    altered = alterations(folder, manifest, Phase(job, 0, 0.4))
    figures = _figures(EvidenceFolder(folder), Phase(job, 0.4, 1))
    return VerifyResult(
        folder=str(folder),
        subject=manifest.subject,
        digest=manifest.digest,
        figures=figures,
        recomputed=sum(one.state == RECOMPUTED for one in figures),
        altered=altered,
    )


def _figures(folder: EvidenceFolder, phase: Phase) -> tuple[CheckedFigure, ...]:
    try:
        listed = from_json(FigureList, folder.json(FIGURES)).figures
    except (InvalidData, InvalidDocument):
        return ()  # the file itself is among the alterations
    found = []
    for number, figure in enumerate(listed):
        phase.progress(number, len(listed), "Computing figures")
        found.append(checked(folder, figure))
    return tuple(found)


def figure_text(figures: tuple[Figure, ...]) -> str:
    """Return the content of ``figures.json``."""
    from studio.documents.dataclass_json import to_json

    return json.dumps(to_json(FigureList(figures)), indent=1, sort_keys=True) + "\n"
