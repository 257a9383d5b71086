"""Work of the step ``evidence-verify``, in a worker: bytes first, then figures."""

from __future__ import annotations

from pathlib import Path

from studio.api import InvalidData
from studio.documents.dataclass_json import InvalidDocument, from_json
from studio.features.evidence.again import measure_again, with_again
from studio.features.evidence.documents import FIGURES, FigureList, altered_documents
from studio.features.evidence.folder.chains import broken_chains
from studio.features.evidence.folder.check import alterations
from studio.features.evidence.folder.manifest import MANIFEST, DamagedList, EvidenceList
from studio.features.evidence.recompute import EvidenceFolder, checked
from studio.features.evidence.results import (
    RECOMPUTED,
    RUN_AGAIN,
    Alteration,
    AssessedVersion,
    CheckedFigure,
    Figure,
    VerifyResult,
)
from studio.features.evidence.step import VerifyOptions
from studio.jobs import Job
from studio.jobs.phases import Phase


def verify(options: VerifyOptions, job: Job) -> VerifyResult:
    """Compare each file with the list, and each document and figure with what it follows from.

    Raises:
        InvalidData: when the folder is no evidence.
    """
    folder, files = options.folder, EvidenceFolder(options.folder)
    try:
        manifest = EvidenceList.read(folder)
    except DamagedList:
        return _damaged(folder)
    altered = alterations(folder, manifest, Phase(job, 0, 0.1))
    altered += tuple(broken_chains([one.path for one in manifest.files], files.content))
    changed = {one.path for one in altered}
    documents = altered_documents(files, manifest)
    altered += tuple(one for one in documents if one.path not in changed)
    listed = _listed(files)
    figures = _checked(files, listed, Phase(job, 0.1, 0.3))
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


def _damaged(folder: Path) -> VerifyResult:
    """Return the result for a list that cannot be read, so that nothing of it counts."""
    altered = (Alteration(MANIFEST, "damaged: not a list of evidence"),)
    return VerifyResult(str(folder), AssessedVersion("", "", ""), "", (), 0, altered)


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
