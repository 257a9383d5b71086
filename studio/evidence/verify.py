"""Work of the step ``evidence-verify``, in a worker: bytes first, then figures."""

from __future__ import annotations

import json

from studio.api import InvalidData
from studio.documents.dataclass_json import InvalidDocument, from_json, to_json
from studio.evidence.again import measure_again, with_again
from studio.evidence.folder.chains import broken_chains
from studio.evidence.folder.check import alterations
from studio.evidence.folder.manifest import EvidenceList
from studio.evidence.recompute import EvidenceFolder, checked
from studio.evidence.results import RECOMPUTED, RUN_AGAIN, CheckedFigure, Figure, VerifyResult
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
    manifest = EvidenceList.read(folder)
    altered = alterations(folder, manifest, Phase(job, 0, 0.1))
    names = [one.path for one in manifest.files]
    altered += tuple(broken_chains(names, EvidenceFolder(folder).content))
    listed = _listed(EvidenceFolder(folder))
    figures = _checked(EvidenceFolder(folder), listed, Phase(job, 0.1, 0.3))
    notes: tuple[str, ...] = ()
    if options.again:
        again = measure_again(options, job)
        figures, notes = with_again(listed, figures, again), again.notes
    return VerifyResult(
        folder=str(folder),
        subject=manifest.subject,
        digest=manifest.digest,
        figures=figures,
        recomputed=sum(one.state in (RECOMPUTED, RUN_AGAIN) for one in figures),
        altered=altered,
        run_again=sum(one.state == RUN_AGAIN for one in figures),
        notes=notes,
    )


def _listed(folder: EvidenceFolder) -> tuple[Figure, ...]:
    try:
        return from_json(FigureList, folder.json(FIGURES)).figures
    except (InvalidData, InvalidDocument):
        return ()  # the file itself is among the alterations


def _checked(
    folder: EvidenceFolder, listed: tuple[Figure, ...], phase: Phase
) -> tuple[CheckedFigure, ...]:
    found = []
    for number, figure in enumerate(listed):
        phase.progress(number, len(listed), "Computing figures")
        found.append(checked(folder, figure))
    return tuple(found)


def figure_text(figures: tuple[Figure, ...]) -> str:
    """Return the content of ``figures.json``."""
    return json.dumps(to_json(FigureList(figures)), indent=1, sort_keys=True) + "\n"
